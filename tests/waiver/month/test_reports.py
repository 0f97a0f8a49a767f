"""The reports of a real hub: the same sums on page, CSV, xlsx and PDF, with the hash of the closed month."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook

from hub.waiver import ledger_store, receipt_store, register_store
from hub.waiver.receipt import Receipt
from hub.waiver.report import KINDS, Span, report
from tests.login.parts import Town, running_town
from tests.waiver.month import model, oracle
from tests.waiver.month.hall import Hall, fill_waivers, revoked
from tests.waiver.month.test_pages import person

MONTHS = model.months_from(model.FIRST, 2)
LINES = model.town(16, seed=3)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A hub with two closed months; a waiver of the first was revoked before the second was closed."""
    with running_town(tmp_path_factory.mktemp("reports")) as made:
        made.add("kansa", "auditor")
        hall = Hall(made.db, LINES)
        fill_waivers(hall, (MONTHS[0], MONTHS[1]))
        assert not isinstance(hall.close(MONTHS[1]), str)
        yield made


def table(town: Town, kind: str, span: str) -> list[dict[str, str]]:
    """A report's CSV file; what stands under the table is left out."""
    text = person(town, "kansa").get(f"/waiver/reports/{kind}.csv?span={span}").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:] if row[1] or row[2]]


def test_what_was_waived_by_ground_comes_to_what_was_closed(town: Town) -> None:
    wanted: dict[str, int] = {}
    for one in oracle.month(LINES, MONTHS[0]).values():
        if one.waived and one.resident:
            wanted[one.ground] = wanted.get(one.ground, 0) + one.waived
    rows = table(town, "grounds", MONTHS[0])
    assert {row["免除理由"]: int(row["免除額"]) for row in rows} == wanted
    taken_back = oracle.month(LINES, MONTHS[0])[revoked(LINES, MONTHS[0]).phone]
    second = {row["免除理由"]: row for row in table(town, "grounds", MONTHS[1])}
    assert int(second[taken_back.ground]["うち過去の月分"]) == -taken_back.waived


def test_each_line_is_fee_waived_paid_and_open(town: Town) -> None:
    line = revoked(LINES, MONTHS[0])
    rows = {row["回線"]: row for row in table(town, "lines", MONTHS[0])}
    of = oracle.month(LINES, MONTHS[0])
    for phone, row in rows.items():
        fee, waived, paid, left = (int(row[name]) for name in ("料金", "免除額", "納付額", "残り"))
        assert fee == waived + paid + left
        assert fee == of[phone].total
        assert waived == (0 if phone == line.phone else of[phone].waived)


def test_a_payment_shows_in_its_line_and_in_the_year(town: Town) -> None:
    phone, one = next((name, one) for name, one in oracle.month(LINES, MONTHS[0]).items() if one.share and one.resident)
    resident = town.read(lambda conn: register_store.resident_by_number(conn, one.resident))
    assert resident
    paid = Receipt(reference="K1", resident_id=resident.id, day="2026-07-10", yen=one.share, of_month=MONTHS[0])
    town.write(lambda conn: receipt_store.enter(conn, paid, by="kaikei", now_ms=1))
    row = next(row for row in table(town, "lines", MONTHS[0]) if row["回線"] == phone)
    assert (row["納付額"], row["残り"]) == (str(one.share), "0")
    (april, _) = table(town, "year", "2026")
    assert april["収納額"] == str(one.share)
    assert int(april["調定額"]) == int(april["免除額"]) + int(april["収納額"]) + int(april["収入未済額"])


def test_what_was_taken_back_is_listed_with_both_people(town: Town) -> None:
    (row,) = table(town, "reversals", MONTHS[1])
    assert (row["使用月"], row["回線"], row["入力"], row["承認"]) == (
        MONTHS[0],
        revoked(LINES, MONTHS[0]).phone,
        "hanako",
        "taro",
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("span", [MONTHS[0], "2026"])
def test_every_report_opens_and_is_saved_in_each_form(town: Town, kind: str, span: str) -> None:
    kansa = person(town, "kansa")
    name = "month" if "-" in span else "year"
    assert kansa.get(f"/waiver/reports?{name}={span}&kind={kind}").status_code == 200
    files = {file: kansa.get(f"/waiver/reports/{kind}.{file}?span={span}") for file in ("csv", "xlsx", "pdf")}
    assert {one.status_code for one in files.values()} == {200}
    assert files["pdf"].content.startswith(b"%PDF-")
    assert kansa.get(f"/waiver/reports/{kind}.pdf?span={span}").content == files["pdf"].content
    sheet = load_workbook(io.BytesIO(files["xlsx"].content)).active
    assert sheet is not None
    cells = [["" if cell is None else str(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    assert cells == list(csv.reader(io.StringIO(files["csv"].content.decode("utf-8-sig"))))


def test_the_hash_of_the_closed_month_stands_in_the_report(town: Town) -> None:
    hashes = {one.month: one.content_hash for one in town.read(ledger_store.closings)}
    kansa = person(town, "kansa")
    assert hashes[MONTHS[0]] in kansa.get(f"/waiver/reports?month={MONTHS[0]}").text
    year = kansa.get("/waiver/reports?year=2026&kind=year").text
    assert set(hashes.values()) <= {one for one in hashes.values() if one in year}
    found = town.read(lambda conn: report(conn, "grounds", Span(MONTHS[0], 2026)))
    assert [one.content_hash for one in found.closings] == [hashes[MONTHS[0]]]
    assert "まだ締めていない期間です" in kansa.get("/waiver/reports?month=2026-10").text


@pytest.mark.parametrize(
    "path",
    [
        "?month=2026-13",
        "?year=20x6",
        "?kind=colours",
        "/grounds.csv?span=",
        "/grounds.csv?span=２０２６",
        "/grounds.doc?span=2026",
    ],
)
def test_a_wrong_address_is_refused(town: Town, path: str) -> None:
    assert person(town, "kansa").get(f"/waiver/reports{path}").status_code == 400


def test_a_hub_that_booked_nothing_says_so(tmp_path: Path) -> None:
    with running_town(tmp_path) as empty:
        empty.add("kansa", "auditor")
        assert "報告できる月がまだありません" in person(empty, "kansa").get("/waiver/reports").text
