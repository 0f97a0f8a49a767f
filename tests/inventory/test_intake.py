"""What an import comes to: our own file changes nothing, and what is wrong is told by row and column."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub import sheet
from hub.cells import letters
from hub.db import Connection, Db
from hub.inventory import store
from hub.inventory.fields import EDITABLE, KINDS, WrongValue, clean
from hub.inventory.intake import COLUMNS, Plan, headings, plan, row_of
from hub.inventory.thing import Item, Loan
from hub.inventory.transfer import _apply
from hub.words import WORDS
from tests.ingest.parts import NOW_MS
from tests.inventory.parts import device, lent, tells, thing
from wire.messages import Inventory

TODAY = "2026-11-24"
SIGNS = st.one_of(
    st.sampled_from("=+-@' 役場A1＝;,"),
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co", "Zl", "Zp"]),
)


def kept(field: str, most: int) -> st.SearchStrategy[str]:
    """Values of a field as they are kept."""
    return st.text(SIGNS, max_size=most).map(lambda text: clean(field, text))


DAYS = st.dates().map(lambda day: day.isoformat()).filter(lambda day: day >= "1990-01-01")
VALUES = st.fixed_dictionaries(
    {
        "model": kept("model", 20),
        "place": kept("place", 20),
        "tags": kept("tags", 20),
        "note": st.text(st.one_of(SIGNS, st.just("\n")), max_size=40).map(lambda text: clean("note", text)),
        "kind": st.sampled_from(["", *KINDS]),
        "bought": st.one_of(st.just(""), DAYS),
    }
)


@contextmanager
def database() -> Iterator[Connection]:
    """A real database, inside one transaction."""
    with tempfile.TemporaryDirectory() as folder:
        hub = Db(Path(folder) / "hub.db")
        hub.open()
        connection = hub._connect(read_only=False)
        connection.execute("BEGIN")
        yield connection
        connection.close()
        hub.close()


def exported(items: list[Item], language: int, *, named: bool) -> list[list[str]]:
    """Headings and rows of our own file."""
    columns = [field for field in COLUMNS if named or field != "loan_name"]
    rows = [[row_of(item)[field] for field in columns] for item in items]
    return [[WORDS[field][language] for field in columns], *rows]


def looked_at(conn: Connection, table: list[list[str]], ending: str = "csv", *, names_kept: bool = False) -> Plan:
    """What a file of this table would change."""
    head, *rows = table
    content = sheet.csv_file(head, rows) if ending == "csv" else sheet.xlsx_file("x", head, rows)
    read = sheet.read("x", content)
    places, unknown = headings(read.headings, WORDS)
    return plan(read.rows, places, unknown, store.everything(conn), today=TODAY, names_kept=names_kept)


def done(conn: Connection, found: Plan) -> None:
    """Does it."""
    for change in found.changes:
        _apply(conn, change, "hanako", NOW_MS)
    store.join(conn, NOW_MS)


@settings(max_examples=30, deadline=None)
@given(st.lists(VALUES, max_size=6), st.sampled_from(["csv", "xlsx"]), st.sampled_from([0, 1]), st.booleans())
def test_our_own_file_changes_nothing(drawn: list[dict[str, str]], ending: str, language: int, named: bool) -> None:
    with database() as conn:
        for number, values in enumerate(drawn, 1):
            on_device = number % 2 == 0
            if on_device:
                device(conn, number, f"t-{number}", "" if number % 4 else "terminal")
                tells(conn, number, Inventory("Pi", f"=S{number}"))
            if number % 3:
                asset = f"-A{number}"
                serial = "" if on_device else f"@S-{number}"
                entered = thing(conn, number if on_device else None, **values, asset=asset, serial=serial)
                if number % 5 == 1:
                    lent(conn, entered, f"+R{number}", "2026-01-01", "2026-12-31", "=山田" if named else "")
        items = store.everything(conn)
        found = looked_at(conn, exported(items, language, named=named), ending, names_kept=named)
        assert (found.problems, found.changes, found.unknown) == ([], [], [])
        assert found.rows == len(items)


@settings(max_examples=30, deadline=None)
@given(st.lists(VALUES, min_size=1, max_size=6), st.sampled_from(["csv", "xlsx"]))
def test_what_was_taken_in_is_what_the_file_said(drawn: list[dict[str, str]], ending: str) -> None:
    table = [["asset", *EDITABLE[2:]]]
    table += [[f"A-{n}", *(values[field] for field in EDITABLE[2:])] for n, values in enumerate(drawn)]
    with database() as conn:
        found = looked_at(conn, table, ending)
        assert found.problems == []
        assert found.new == len(drawn)
        done(conn, found)
        by_asset = {item.values["asset"]: item.values for item in store.everything(conn)}
        assert [by_asset[f"A-{n}"] for n in range(len(drawn))] == [
            {"asset": f"A-{n}", "serial": "", **values} for n, values in enumerate(drawn)
        ]
        assert looked_at(conn, table, ending).changes == []


@pytest.fixture
def conn() -> Iterator[Connection]:
    """A town: a device that was entered and is lent, one that was not, a thing in its box."""
    with database() as connection:
        device(connection, 1, "tablet-1")
        device(connection, 2, "tablet-2")
        lent(connection, thing(connection, 1, asset="A-1", place="役場"), "R8-1", "2026-11-01", "2026-12-01")
        thing(connection, asset="A-9", serial="S9", place="倉庫")
        yield connection


@pytest.mark.parametrize(
    ("head", "row", "column", "field", "expected"),
    [
        (["端末", "場所"], ["tablet-7", "x"], "A", "device", "known_device"),
        (["場所", "備品番号"], ["x", ""], "B", "asset", "some_name"),
        (["備品番号", "種類"], ["A-5", "電話"], "B", "kind", "kind"),
        (["端末", "種類"], ["tablet-1", "打刻機"], "B", "kind", "same_kind"),
        (["備品番号", "購入日"], ["A-5", "去年"], "B", "bought", "day"),
        (["備品番号", "場所"], ["A-5", "x" * 61], "B", "place", "shorter"),
        (["備品番号", "場所"], ["A-5", "a\x07b"], "B", "place", "no_controls"),
        (["備品番号", "タグ"], ["A-5", " ".join(map(str, range(30)))], "B", "tags", "tags"),
        (["備品番号", "貸与番号"], ["A-5", "R8-2"], "", "loan_until", "needed"),
        (["備品番号", "貸与番号", "返却期限"], ["A-5", "", "2026/12/1"], "B", "loan_number", "needed"),
        (["備品番号", "貸与番号", "返却期限"], ["A-5", "1", "2026/1/1"], "C", "loan_until", "after_since"),
        (["備品番号", "貸与番号"], ["A-1", ""], "B", "loan_number", "as_lent"),
        (["備品番号", "返却期限"], ["A-1", "令和8年10月1日"], "B", "loan_until", "after_since"),
        (["備品番号", "貸与先の氏名"], ["A-5", "山田"], "B", "loan_name", "no_names"),
        (["端末", "備品番号"], ["tablet-1", "A-9"], "B", "asset", "not_taken"),
        (["備品番号", "製造番号"], ["A-1", "s9"], "B", "serial", "not_taken"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(
    conn: Connection, head: list[str], row: list[str], column: str, field: str, expected: str
) -> None:
    found = looked_at(conn, [head, [""] * len(head), row])
    assert [(one.row, one.column, one.wrong.field, one.wrong.expected) for one in found.problems] == [
        (3, column, field, expected)
    ]
    assert found.changes == []


def test_one_wrong_row_holds_up_the_rest_and_all_wrongs_are_told(conn: Connection) -> None:
    table = [["備品番号", "場所", "購入日"], ["A-1", "図書館", ""], ["A-2", "x", "昨日"], ["A-3", "y", "明日"]]
    found = looked_at(conn, table)
    assert [problem.row for problem in found.problems] == [3, 4]
    assert found.changes == []


def test_two_rows_of_one_thing_or_of_one_number_are_wrong(conn: Connection) -> None:
    for table, expected in (
        ([["備品番号", "場所"], ["A-1", "x"], ["A-1", "y"]], ("A", "asset", "once", 2)),
        ([["端末", "備品番号"], ["tablet-1", "A-7"], ["tablet-2", "A-7"]], ("B", "asset", "once", 2)),
        ([["端末", "製造番号"], ["tablet-1", "s-7"], ["tablet-2", "S-7"]], ("B", "serial", "once", 2)),
    ):
        (problem,) = looked_at(conn, table).problems
        assert (problem.column, problem.wrong.field, problem.wrong.expected, problem.wrong.n) == expected


def test_rows_lend_prolong_join_and_add(conn: Connection) -> None:
    table = [
        ["端末", "備品番号", "貸与番号", "返却期限", "場所"],
        ["", "A-1", "R8-1", "令和9年1月10日", "役場"],
        ["tablet-2", "A-9", "R8-5", "2027/2/1", "図書館"],
        ["", "A-10", "", "", "倉庫"],
    ]
    found = looked_at(conn, table)
    assert [(change.label, change.prolongs, change.lends) for change in found.changes] == [
        ("tablet-1", True, False),
        ("A-9", False, True),
        ("A-10", False, False),
    ]
    assert found.new == 1
    done(conn, found)
    one, two, three = store.everything(conn)
    assert one.loan is not None
    assert one.loan.until == "2027-01-10"
    assert (two.device, two.values["serial"], two.values["place"]) == ("tablet-2", "S9", "図書館")
    assert isinstance(two.loan, Loan)
    assert (two.loan.number, two.loan.since, two.loan.until) == ("R8-5", TODAY, "2027-02-01")
    assert (three.label, three.values["place"], three.loan) == ("A-10", "倉庫", None)
    assert looked_at(conn, table).changes == []


def test_a_plan_has_a_mark_of_its_own(conn: Connection) -> None:
    first = looked_at(conn, [["備品番号", "場所"], ["A-1", "x"]])
    assert first.digest == looked_at(conn, [["備品番号", "場所"], ["A-1", "x"]]).digest
    assert first.digest != looked_at(conn, [["備品番号", "場所"], ["A-1", "y"]]).digest


def test_headings_in_either_language_and_what_is_none() -> None:
    places, unknown = headings(["Ｄｅｖｉｃｅ", "備品 番号", "Serial number", "色", "", "端末"], WORDS)
    assert places == {"device": 0, "asset": 1, "serial": 2}
    assert unknown == ["色", "端末"]


@pytest.mark.parametrize(("place", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ")])
def test_columns_are_named_as_spreadsheets_do(place: int, name: str) -> None:
    assert letters(place) == name


@given(st.sampled_from([*EDITABLE, "loan_number", "loan_since"]), st.text(max_size=60))
def test_what_is_kept_stays_as_it_is(field: str, text: str) -> None:
    try:
        value = clean(field, text)
    except WrongValue as refused:
        word = f"expect_{refused.wrong.expected}"
    else:
        assert clean(field, value) == value
        word = "expect_day"
    assert word in WORDS
