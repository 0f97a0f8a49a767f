"""Layouts are read strictly: one sentence with file, place and what was expected, in both languages."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.payroll import layout, store
from hub.payroll.choice import said
from hub.payroll.form import FIELDS, UNITS
from hub.payroll.layout import BadLayout
from hub.words import WORDS, known_word
from tests.payroll.parts import column, small

GOOD = """name = "mine"
title = "mine"
file_name = "out-{yyyymm}.csv"

[[column]]
heading = "number"
field = "staff_number"
"""


def wrong(text: str) -> BadLayout:
    """What is wrong with a layout."""
    with pytest.raises(BadLayout) as error:
        layout.read(text, "mine.toml")
    return error.value


@pytest.mark.parametrize(
    ("old", "new", "place", "expected"),
    [
        ('name = "mine"', "", "name", "needed"),
        ('name = "mine"', 'name = "Mine"', "name", "name"),
        ('title = "mine"', "title = 3", "title", "text"),
        ('title = "mine"', 'title = "mine"\ncolour = "red"', "", "known_key"),
        ('title = "mine"', 'title = "mine"\nencoding = "latin-1"', "encoding", "one_of"),
        ('title = "mine"', 'title = "mine"\nencoding = []', "encoding", "one_of"),
        ('title = "mine"', 'title = "mine"\nheader = "yes"', "header", "flag"),
        ('title = "mine"', 'title = "mine"\nformat = "fixed"\nquoting = "all"', "quoting", "not_in_fixed"),
        ('title = "mine"', 'title = "mine"\nformat = "xlsx"\nencoding = "cp932"', "encoding", "not_in_xlsx"),
        ('title = "mine"', 'title = "mine"\nformat = "xlsx"', "file_name", "file_name_xlsx"),
        ("out-{yyyymm}.csv", "../out.csv", "file_name", "file_name"),
        ("out-{yyyymm}.csv", "{version:>999999999}", "file_name", "file_name"),
        ("out-{yyyymm}.csv", "給与.csv", "file_name", "file_name"),
        ('"staff_number"', '"staff"', "column 1.field", "one_of"),
        ('"staff_number"', '"day"', "column 1.field", "one_of"),
        ('"staff_number"', '"staff_number"\nunit = "min"', "column 1.unit", "one_of"),
        ('"staff_number"', '"staff_number"\nclasses = ["W125"]', "column 1.classes", "not_classed"),
        ('"staff_number"', '"minutes"\nclasses = ["W999"]', "column 1.classes", "classes"),
        ('"staff_number"', '"minutes"\nclasses = [["W125"]]', "column 1.classes", "classes"),
        ('"staff_number"', '"minutes"\nclasses = ["W125", "W125"]', "column 1.classes", "once"),
        ('"staff_number"', '"minutes"\nunit = "h:mm"\nwidth = 3', "column 1.width", "width"),
        ('"staff_number"', '"month"\nwidth = 5', "column 1.width", "width"),
        ('"staff_number"', '"close_hash"\nwidth = 63', "column 1.width", "width"),
        ('"staff_number"', '"staff_number"\nwidth = true', "column 1.width", "number"),
        ('"staff_number"', '"staff_number"\nwidth = 0', "column 1.width", "number"),
        ('"staff_number"', '"staff_number"\nfill = "0"', "column 1.fill", "needs_width"),
        ('"staff_number"', '"staff_number"\nwidth = 8\nfill = "0"', "column 1.fill", "fill_right"),
        ('field = "staff_number"', "", "column 1.field", "field_or_constant"),
        ('"staff_number"', '"staff_number"\nconstant = "2"', "column 1.field", "field_or_constant"),
        ('field = "staff_number"', 'constant = "2"\nunit = "min"', "column 1.unit", "not_in_constant"),
        ('field = "staff_number"', 'constant = "=1"', "column 1.constant", "no_formula"),
        ('heading = "number"', 'heading = "＝number"', "column 1.heading", "no_formula"),
        ('heading = "number"', 'heading = "a\\nb"', "column 1.heading", "text"),
        ('title = "mine"', 'title = "mine"\nformat = "fixed"', "column 1.width", "width_fixed"),
        ('"staff_number"', '"staff_number"\n[codes]\nW1 = "1"', "codes", "known_key"),
        ('"staff_number"', '"staff_number"\n[trailer]\nsums = 1', "trailer.sums", "text"),
        ('"staff_number"', '"yen"\n[trailer]\nsums = "sum"', "trailer.sums", "sums_place"),
        ("[[column]]", "[column]", "column", "columns"),
        ("[[column]]", "column = [3]\n[x]", "column 1", "table"),
        ('title = "mine"', "title = ", "", "toml"),
        ('title = "mine"', 'title = "' + "x" * 101 + '"', "title", "shorter"),
        ('title = "mine"', "title = '''" + "x" * 20_001 + "'''", "", "length"),
    ],
)
def test_one_sentence_for_what_is_wrong(old: str, new: str, place: str, expected: str) -> None:
    """File, place, what stands there, what was expected: in both languages."""
    assert old in GOOD
    error = wrong(GOOD.replace(old, new, 1))
    assert (error.file, error.place, error.expected) == ("mine.toml", place, expected)
    for language in ("ja", "en"):
        told = said("en" if language == "en" else "ja", error)
        assert told.startswith("mine.toml")
        assert place in told
        assert "{" not in told.replace("{yyyymm}", "").replace("{version}", "").replace(error.found, "")


def test_the_layouts_own_texts_must_be_writable_and_have_room() -> None:
    """Headings, constants, codes; in a file of fixed widths the heading is as wide as its column."""
    bad = GOOD.replace('title = "mine"', 'title = "mine"\nencoding = "cp932"').replace('"number"', '"𠮷"')
    assert wrong(bad).expected == "writable"
    fixed = GOOD.replace('title = "mine"', 'title = "mine"\nformat = "fixed"').replace(
        '"staff_number"', '"staff_number"\nwidth = 5'
    )
    assert wrong(fixed).values == {"n": 6}
    assert layout.read(fixed.replace('"number"', '"no"'), "x").columns[0].width == 5
    tail = fixed.replace('"number"', '"no"') + '[trailer]\nsha256 = "x"\n'
    assert wrong(tail).place == "trailer.sha256"


@given(st.text(max_size=60))
def test_whatever_stands_there_is_a_layout_or_one_sentence(text: str) -> None:
    """Never another error."""
    for whole in (text, GOOD + text, GOOD.replace("staff_number", text)):
        with contextlib.suppress(BadLayout):
            layout.read(whole, "x.toml")


def test_every_field_can_be_written_in_every_unit_of_its_own() -> None:
    """The table of fields and the writing of them know the same."""
    for name, field in FIELDS.items():
        for rows in field.rows:
            for unit in UNITS[field.quantity]:
                found = small(column("x", name, unit=unit), f'rows = "{rows}"')
                assert found.columns[0].unit == unit


def test_every_expectation_has_words() -> None:
    """Whatever the reader says can be shown."""
    for form in store.shipped().values():
        assert layout.read(form.text, form.name)
    keys = {key for key in WORDS if key.startswith("layout_expect_")}
    assert {f"layout_expect_{one}" for one in ("toml", "needed", "width", "tail_place", "writable")} <= keys
    assert known_word("en", "layout_expect_toml") == "valid TOML"
