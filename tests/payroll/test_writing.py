"""Files, byte by byte: each layout that came with the hub, fixed widths, trailers, letters, formulas."""

import csv
import hashlib
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules.kinds import PAY_CLASSES
from hub.payroll import layout, sample, store
from hub.payroll.amount import TIME_UNITS, TimeUnit, hundredths, read
from hub.payroll.cell import Letters, left_out
from hub.payroll.export import export
from hub.payroll.form import Layout
from hub.payroll.line import Table
from hub.payroll.writing import CannotWrite, file
from hub.writable import ENCODINGS, Encoding, cannot_write
from tests.payroll.parts import MONTH, back, column, entry, month, person, small

GOLDEN = Path(__file__).parent / "golden"
NOTHING = Letters()
NUMBER = column("number", "staff_number")


def shipped(name: str) -> Layout:
    """A layout that came with the hub."""
    return layout.read(store.shipped()[name].text, f"{name}.toml")


@pytest.mark.parametrize("name", sorted(set(store.shipped()) - {"excel"}))
def test_each_layout_has_its_golden_file(name: str) -> None:
    """Byte for byte: what a payroll was set up for must not change by itself."""
    found = export(shipped(name), sample.TABLE, NOTHING)
    assert found.content == (GOLDEN / f"{name}.csv").read_bytes()


def test_every_layout_is_called_as_its_file_is() -> None:
    """And the town can choose among them."""
    for name in store.shipped():
        assert shipped(name).name == name
    assert {"generic", "king-of-time", "money-forward", "freee", "kyuryo-rakuda", "excel"} <= set(store.shipped())


def test_names_are_optional_everywhere() -> None:
    """With numbers alone each layout works, its columns of names empty."""
    bare = month(person("000123", entries=[entry("W125", 270)]), person("000124"))
    for name in store.shipped():
        assert export(shipped(name), bare, NOTHING).content


def test_fixed_widths_count_bytes_and_fill_up() -> None:
    """A full-width letter takes two; noughts go behind the minus."""
    found = small(
        column("", "staff_number", width=8, align="right", fill="0")
        + column("", "name", width=12)
        + column("", "minutes", unit="HHMM", width=6, fill="0")
        + column("", "adjust_yen", width=8, fill="0"),
        'format = "fixed"\nencoding = "cp932"\nheader = false\n[trailer]\nrows = "T"\n',
    )
    table = month(person("0123", "髙橋　﨑子", [entry("W125", 3630)], [back()]))
    assert file(found, table, NOTHING) == "00000123髙橋　﨑子  006030-0002016\r\n".encode("cp932") + (
        b"T" + b"1".rjust(33) + b"\r\n"
    )


def test_a_figure_that_is_too_long_is_told_and_never_cut() -> None:
    """So is a sum."""
    found = small(NUMBER + column("m", "minutes", unit="min", width=4), 'rows = "person"\n[trailer]\nsums = "sum"\n')
    lines = [person(str(n), entries=[entry("W125", 6000)]) for n in range(2)]
    with pytest.raises(CannotWrite) as error:
        file(found, month(*lines), NOTHING)
    assert [(one.number, one.column, one.found, one.why) for one in error.value.problems] == [
        ("", "m", "12000", "too_wide")
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "＝1", "＋1", "－1", "＠x", "\t=1", "\r=1", "'=1", "\n+1"])
def test_a_text_that_begins_like_a_formula_is_made_harmless(text: str) -> None:
    """A figure below nought stays a figure."""
    found = small(NUMBER + column("name", "name") + column("yen", "adjust_yen"))
    (row,) = list(
        csv.reader(io.StringIO(file(found, month(person("1", text, (), [back()])), NOTHING).decode("utf-8-sig")))
    )[1:]
    assert row[1].startswith(("'", " "))
    assert row[1].lstrip("' ") == text.strip().lstrip("'")
    assert row[2] == "-2016"


def test_quotes_as_the_layout_says() -> None:
    """All, those that are needed, or none: then a comma in a name is told."""
    table = month(person("1", 'a,"b"'))
    rows = NUMBER + column("name", "name")
    assert file(small(rows, 'quoting = "all"\nencoding = "utf-8"\nheader = false'), table, NOTHING) == (
        b'"1","a,""b"""\r\n'
    )
    assert file(small(rows, 'newline = "lf"\nencoding = "utf-8"\nheader = false'), table, NOTHING) == b'1,"a,""b"""\n'
    with pytest.raises(CannotWrite) as error:
        file(small(rows, 'quoting = "none"'), table, NOTHING)
    assert [(one.why, one.detail) for one in error.value.problems] == [("unquoted", '"')]
    tabs = small(rows, 'quoting = "none"\ndelimiter = "tab"\nencoding = "utf-8"')
    assert file(tabs, month(person("1", "a,b")), NOTHING) == b"number\tname\r\n1\ta,b\r\n"


def test_hours_that_the_town_does_not_round_are_told() -> None:
    """A layout of whole hours cannot tell them; minutes can."""
    table = month(person("1", entries=[entry("W125", 90, None)]))
    with pytest.raises(CannotWrite) as error:
        file(small(NUMBER + column("h", "hours", unit="count")), table, NOTHING)
    assert [one.why for one in error.value.problems] == ["not_rounded"]
    assert b"1,90,3024" in file(small(NUMBER + column("m", "minutes") + column("y", "yen")), table, NOTHING)


def test_letters_that_stand_for_others() -> None:
    """For everybody, and for one person's name; a letter of the private area is written nowhere."""
    found = small(NUMBER + column("name", "name"), 'encoding = "cp932"')
    table = month(person("1", "𠮷野"), person("2", "𠮷田"), person("3", "\ue000山"))
    with pytest.raises(CannotWrite) as error:
        file(found, table, NOTHING)
    assert [(one.number, one.detail) for one in error.value.problems] == [("1", "𠮷"), ("2", "𠮷"), ("3", "\ue000")]
    letters = Letters({"𠮷": "吉"}, {"2": "ヨシダ", "3": "山"})
    assert file(found, table, letters).decode("cp932").splitlines()[1:] == ["1,吉野", "2,ヨシダ", "3,山"]


@given(st.text(max_size=8), st.sampled_from(ENCODINGS))
@settings(max_examples=300)
def test_what_is_not_listed_comes_back_as_it_went(text: str, encoding: Encoding) -> None:
    """Encodings are strict both ways."""
    listed = cannot_write([("1", text)], encoding)
    if not listed:
        assert text.encode(encoding).decode(encoding) == text
    assert all(letter in text for one in listed for letter in one.letters)


@pytest.mark.parametrize(
    ("text", "letters"),
    [("髙﨑①㈱", ""), ("𠮷", "𠮷"), ("～", ""), ("〜", "〜"), ("¥", "¥"), ("葛\U000e0100", "\U000e0100")],
)
def test_letters_of_code_page_932(text: str, letters: str) -> None:
    """As Windows has it."""
    assert [one.letters for one in cannot_write([("1", text)], "cp932")] == ([letters] if letters else [])


people = st.lists(
    st.tuples(st.sampled_from(PAY_CLASSES), st.integers(1, 9000)), max_size=6, unique_by=lambda one: one[0]
)


@given(st.lists(people, max_size=5), st.sampled_from(TIME_UNITS), st.sampled_from(["minutes", "hours"]))
@settings(max_examples=150, deadline=None)
def test_rows_read_back_and_the_trailer_tells_their_sums_and_digest(
    drawn: list[list[tuple[str, int]]], unit: TimeUnit, field: str
) -> None:
    """Each figure to the minute; each sum is that of what the rows show."""
    found = small(
        NUMBER + column("time", field, unit=unit) + column("yen", "yen"),
        '[trailer]\nsums = "sum"\nrows = "rows"\nsha256 = "digest"\n',
    )
    lines = [
        person(f"{n:06}", entries=[entry(pay, minutes) for pay, minutes in one])  # type: ignore[arg-type]
        for n, one in enumerate(drawn)
    ]
    content = file(found, month(*lines), NOTHING)
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    body, sums, count, digest = rows[1:-3], rows[-3], rows[-2], rows[-1]
    own = [sum(one.minutes if field == "minutes" else 60 * (one.hours or 0) for one in line.entries) for line in lines]
    assert [read(row[1], unit) for row in body] == own
    assert [int(row[2]) for row in body] == [line.yen for line in lines]
    if unit == "h.hh":
        assert sums[1] == f"{sum(map(hundredths, own)) // 100}.{sum(map(hundredths, own)) % 100:02}"
    else:
        assert read(sums[1], unit) == sum(own)
    assert sums[2] == str(sum(line.yen for line in lines))
    assert count == ["rows", str(len(lines))]
    above = b"".join(content.splitlines(keepends=True)[:-1])
    assert digest == ["digest", hashlib.sha256(above).hexdigest()]


def test_rows_of_classes_tell_earlier_months_under_their_own() -> None:
    """A payroll that takes classes gets each adjustment as a row."""
    found = small(
        NUMBER + column("of", "target_month") + column("c", "class") + column("m", "minutes") + column("y", "yen"),
        'rows = "class"\nencoding = "utf-8"\nheader = false\n[codes]\nW125 = "0101"\n',
    )
    table = month(person("1", entries=[entry("W125", 60), entry("SHIFT25", 30)], adjusted=[back()]))
    assert file(found, table, NOTHING).decode().splitlines() == [
        "1,202610,0101,60,2016",
        "1,202610,SHIFT25,30,403",
        "1,202609,0101,-30,-2016",
    ]


def test_classes_that_get_into_no_column_are_told() -> None:
    """Nobody's hours are left out in silence."""
    table = month(person("1", entries=[entry("W125", 60), entry("SHIFT25", 30)]))
    assert left_out(small(NUMBER + column("m", "minutes", classes=["W125"])), table) == {"SHIFT25": 30}
    assert left_out(shipped("generic"), table) == {}
    assert left_out(shipped("freee"), table) == {}


def test_a_file_is_called_by_month_and_version() -> None:
    """As the layout says."""
    table: Table = month(version=3)
    found = small(NUMBER, 'file_name = "KYUYO-{yyyymm}.{version}.txt"')
    assert export(found, table, NOTHING).name == f"KYUYO-{MONTH.replace('-', '')}.3.txt"
