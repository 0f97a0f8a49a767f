"""A carrier's file: read whole to the yen, or one sentence with its line; whatever it is, nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.waiver import bill_intake, bill_layout, bill_store
from hub.waiver.bill_intake import BadBill, Paper
from hub.waiver.bill_layout import Layout
from hub.waiver.bill_say import said
from tests.waiver.bill.parts import (
    CARRIER,
    GB,
    MONTH,
    Row,
    Totals,
    csv_charge,
    csv_line,
    fixed,
    layout,
    phone,
    tax_of,
)

ROWS = [Row(phone(1), used=2 * GB), Row(phone(2), overage=1000, used=4_350_000_000), Row(phone(3), roaming=2980)]


def read(content: bytes, code: str, month: str = MONTH, total_yen: int | None = None) -> Paper:
    return bill_intake.read(content, layout(code), month, CARRIER, total_yen)


@pytest.mark.parametrize("code", sorted(bill_store.shipped()))
def test_each_layout_reads_its_own_example(code: str) -> None:
    found = layout(code)
    paper = bill_intake.read(bill_intake.example(found), found, MONTH, CARRIER)
    assert paper.rows[0].phone == "09000000001"
    assert (paper.rows[0].ex_tax_yen, paper.rows[0].used_bytes) == (1483, 2_100_000_000)


def test_tax_is_rounded_once_and_spread_over_the_lines() -> None:
    """Case C03: 37 lines at 1,483 yen."""
    paper = read(csv_line([Row(phone(n)) for n in range(1, 38)]), "csv-line")
    assert (paper.ex_tax_yen, paper.tax_yen, paper.total_yen) == (54871, 5487, 60358)
    totals = [row.ex_tax_yen + row.tax_yen for row in paper.rows]
    assert totals == [1632] * 11 + [1631] * 26


rows_of = st.lists(
    st.builds(
        Row,
        phone=st.just(""),
        base=st.integers(0, 20_000),
        universal=st.integers(0, 3),
        relay=st.integers(0, 2),
        overage=st.integers(0, 5000),
        roaming=st.integers(0, 9000),
        used=st.integers(0, 2 * 10**11),
        iccid=st.just(""),
    ),
    min_size=1,
    max_size=12,
).map(lambda rows: [one._replace(phone=phone(n)) for n, one in enumerate(rows, 1)])


@settings(max_examples=80, deadline=None)
@given(rows_of)
def test_three_layouts_say_the_same_bill(rows: list[Row]) -> None:
    tax = tax_of(rows)
    papers = [
        read(csv_line(rows), "csv-line"),
        read(csv_charge(rows, tax), "csv-charge"),
        read(fixed(rows, tax), "fixed-128"),
    ]
    for paper in papers:
        assert paper.ex_tax_yen == sum(one.ex_tax for one in rows)
        assert paper.tax_yen == tax
        assert [(row.phone, row.ex_tax_yen, row.used_bytes) for row in paper.rows] == [
            (one.phone, one.ex_tax, one.used) for one in rows
        ]
    shares = [[row.tax_yen for row in paper.rows] for paper in papers]
    assert shares[0] == shares[1] == shares[2]


BROKEN = {
    "a field of a record is no figure": (
        fixed(ROWS, tax_of(ROWS)).replace(b"0000001483", b"00000x1483", 1),
        "fixed-128",
        ("number", 2),
    ),
    "a record is short by one byte": (
        fixed(ROWS, tax_of(ROWS)).replace(b" \r\n20", b"\r\n20", 1),
        "fixed-128",
        ("record_bytes", 1),
    ),
    "an unknown kind of record": (
        fixed(ROWS, tax_of(ROWS)).replace(b"\r\n90", b"\r\n77"),
        "fixed-128",
        ("type", 16),
    ),
    "the trailer is cut off": (
        fixed(ROWS, tax_of(ROWS)).rpartition(b"90000003")[0],
        "fixed-128",
        ("no_trailer", 0),
    ),
    "the total is another": (
        fixed(ROWS, 0, totals=Totals(3, 8429, tax_of(ROWS) + 1)),
        "fixed-128",
        ("tax", 16),
    ),
    "the sum before tax is another": (
        fixed(ROWS, 0, totals=Totals(3, 8430, tax_of(ROWS))),
        "fixed-128",
        ("ex_tax", 16),
    ),
    "the number of lines is another": (
        fixed(ROWS, 0, totals=Totals(4, 8429, tax_of(ROWS))),
        "fixed-128",
        ("lines", 16),
    ),
    "the month is another": (fixed(ROWS, tax_of(ROWS), month="202610"), "fixed-128", ("month", 1)),
    "half of a letter": (
        fixed(ROWS, tax_of(ROWS)).replace("基本使用料".encode("cp932"), "基本使用料".encode("cp932")[:-1] + b" ", 1),
        "fixed-128",
        ("encoding", 3),
    ),
    "a charge before any line": (
        fixed([], 0) + b"",
        "fixed-128",
        ("no_lines", 0),
    ),
    "a line twice": (csv_line([ROWS[0], ROWS[1], ROWS[0]]), "csv-line", ("twice", 4)),
    "a month in one row is another": (
        csv_line(ROWS).replace(b"202611,NB-1,2026/12/31,09000000003", b"202612,NB-1,2026/12/31,09000000003"),
        "csv-line",
        ("month", 4),
    ),
    "a row whose parts are not its sum": (
        csv_line(ROWS).replace(b'"1,483"', b'"1,484"', 1),
        "csv-line",
        ("line_sum", 2),
    ),
    "another encoding": (csv_line(ROWS).decode("cp932").encode("utf-16"), "csv-line", ("encoding", 1)),
    "letters that are none": (csv_line(ROWS).replace(b"NB-1", b"\x81\xff", 1), "csv-line", ("encoding", 2)),
    "a heading is gone": (csv_line(ROWS).replace("基本料".encode("cp932"), b"?"), "csv-line", ("heading", 1)),
    "a row is cut off": (csv_line(ROWS)[:-60], "csv-line", ("columns", 4)),
    "a day that is none": (csv_line(ROWS, due="2026/02/30"), "csv-line", ("day_form", 2)),
    "two bills in one file": (
        csv_line(ROWS).replace(b"NB-1,2026/12/31,09000000002", b"NB-2,2026/12/31,09000000002"),
        "csv-line",
        ("two_values", 3),
    ),
    "the tax is another": (csv_charge(ROWS, tax_of(ROWS) - 1), "csv-charge", ("tax", 16)),
    "nothing": (b" \r\n", "csv-line", ("empty", 0)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_one_sentence_with_its_line(name: str) -> None:
    content, code, expected = BROKEN[name]
    with pytest.raises(BadBill) as caught:
        read(content, code)
    assert (caught.value.why, caught.value.row) == expected, caught.value.values
    for language in ("ja", "en"):
        sentence = said(language, caught.value)
        assert sentence.endswith(("。", "."))
        assert "{" not in sentence
        assert (str(expected[1]) in sentence) == bool(expected[1]) or not expected[1]


def test_what_the_paper_says_must_be_what_the_file_comes_to() -> None:
    assert read(csv_line(ROWS), "csv-line", total_yen=8429 + tax_of(ROWS)).total_yen == 8429 + tax_of(ROWS)
    with pytest.raises(BadBill, match="typed_total"):
        read(csv_line(ROWS), "csv-line", total_yen=8429)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_file_that_was_hurt_is_a_bill_or_one_sentence(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([fixed(ROWS, tax_of(ROWS)), csv_line(ROWS), csv_charge(ROWS, tax_of(ROWS))]))
    code = {b"10": "fixed-128"}.get(whole[:2], "csv-line" if whole.startswith("利用".encode("cp932")) else "csv-charge")
    start = data.draw(st.integers(0, len(whole)))
    hurt = whole[:start] + data.draw(st.binary(max_size=3)) + whole[start + data.draw(st.integers(0, 200)) :]
    try:
        paper = read(hurt, code)
    except BadBill as error:
        said("ja", error)
        return
    assert paper.total_yen == sum(row.ex_tax_yen + row.tax_yen for row in paper.rows)


def _made(body: str) -> Layout:
    return bill_layout.read(body)


def test_each_line_may_tell_its_own_tax() -> None:
    found = _made(
        '{"encoding":"utf-8","heading_rows":1,"tax":"line","records":[{"record":"line","fields":['
        '{"field":"phone","column":"tel"},{"field":"ex_tax_yen","column":"net"},{"field":"tax_yen","column":"tax"},'
        '{"field":"total_yen","column":"gross"}]}]}'
    )
    paper = bill_intake.read(
        b"tel,net,tax,gross\n09000000001,1483,148,1631\n09000000002,1487,149,1636\n", found, MONTH, "A"
    )
    assert (paper.ex_tax_yen, paper.tax_yen) == (2970, 297)
    for row, why in ((b"09000000001,1483,150,1633", "line_tax"), (b"09000000001,1483,148,1632", "line_sum")):
        with pytest.raises(BadBill, match=why):
            bill_intake.read(b"tel,net,tax,gross\n" + row, found, MONTH, "A")


def test_amounts_may_contain_their_tax() -> None:
    """Case C20: 1,540 yen are 1,400 and 140 of tax."""
    found = _made(
        '{"encoding":"utf-8-sig","heading_rows":0,"delimiter":"tab","tax":"inside","month_after_use":1,"records":[{"record":'
        '"line","fields":[{"field":"month","column":1,"unit":"yyyy-mm"},{"field":"phone","column":2},'
        '{"field":"total_yen","column":3},{"field":"used_bytes","column":4,"unit":"GiB"}]}]}'
    )
    paper = bill_intake.read("\ufeff2026-12\t90-1234-5678\t￥1,540円\t0.5".encode(), found, MONTH, "A")
    assert (paper.ex_tax_yen, paper.tax_yen, paper.total_yen) == (1400, 140, 1540)
    # A spreadsheet had taken the first nought away.
    assert (paper.rows[0].phone, paper.rows[0].used_bytes) == ("09012345678", 2**29)
    assert paper.rows[0].items[0].kind == "all"


def test_a_period_that_is_cut_at_the_20th_keeps_its_days() -> None:
    found = _made(
        '{"encoding":"utf-8","records":[{"record":"line","fields":[{"field":"phone","column":1},'
        '{"field":"first_day","column":2},{"field":"last_day","column":3},{"field":"ex_tax_yen","column":4}]}]}'
    )
    paper = bill_intake.read(b"09000000001,20270321,20270420,1000", found, "2027-04", "A")
    assert (paper.first_day, paper.last_day) == ("2027-03-21", "2027-04-20")
    with pytest.raises(BadBill, match="month"):
        bill_intake.read(b"09000000001,20270321,20270420,1000", found, "2027-06", "A")


def test_a_discount_is_below_nought_as_papers_write_it() -> None:
    found = _made(
        '{"encoding":"cp932","records":[{"record":"charge","fields":[{"field":"phone","column":1},'
        '{"field":"charge_name","column":2},{"field":"charge_yen","column":3}]}]}'
    )
    rows = "09000000001,基本,1480\r\n09000000001,割引,▲80\r\n,請求書発行手数料,100\r\n".encode("cp932")
    paper = bill_intake.read(rows, found, MONTH, "A")
    assert [(row.phone, row.ex_tax_yen) for row in paper.rows] == [("09000000001", 1400), ("", 100)]
    assert paper.total_yen == 1650
