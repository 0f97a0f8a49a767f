"""What can be an entry, and the bytes that are hashed of one: held fast for ever (I1, I2, D01)."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.waiver import ledger
from hub.waiver.ledger import FEE, RECEIVABLE, WAIVED, BadEntry, Entry, Leg, Name, Unbalanced, Written
from tests.waiver.ledger.parts import assess, waive

NAMES = (Name("09012340001", "R0001"),) * 2


def written(entry: Entry, seq: int, names: tuple[Name, ...] = NAMES) -> Written:
    """An entry as Hanako entered it and Jiro approved it."""
    return Written(seq, entry, names, 1_795_564_800_000, "花子", "jiro")


def test_d01_the_bytes_are_what_they_were() -> None:
    """A change of any of these would make every ledger that was kept look forged."""
    one, two = assess(1, "2026-11"), waive(1, "2026-11", 815)
    h1 = ledger.entry_hash(written(one, 1), ledger.START)
    h2 = ledger.entry_hash(written(two, 2), h1)
    postings = [ledger.posting_hash(entry, NAMES) for entry in (one, two)]
    back = Entry("reversal:x", "reversal", "line", "2026-12", "2026-12-01", ledger.opposite(one.legs), "誤り", None, 1)
    assert {
        "content": ledger.content_hash(one).hex(),
        "posting": postings[0].hex(),
        "posting of a waiver": postings[1].hex(),
        "posting of a reversal": ledger.posting_hash(back, NAMES, b"", postings[0]).hex(),
        "first": h1.hex(),
        "second": h2.hex(),
        "closing": ledger.closing_hash("line", "2026-11", postings),
        "closing of an empty month": ledger.closing_hash("line", "2026-11", []),
    } == GOLDEN


GOLDEN = {
    "content": "099f536e57c334cbce441cf97c88c8156828890022e569d644339e40f8a6105c",
    "posting": "5a71c2c444745d29b2560a640822632f0c60da6a89e0fcfe0cc6f52f47562dad",
    "posting of a waiver": "31e10a47336514792b5964de6f9e96c998588fc50e57b59653728754060f14b7",
    "posting of a reversal": "46877f2f9ae6b94639a8e88993691b622fffceb2f99868a8b4148feace764cc9",
    "first": "808b053b88a1962a0247105eae66128f0b647221731a02911d744f32ccf60139",
    "second": "6d6499609e15401b709a7746b3df3e205c844b6ec210f490cd1d61cd97a84a42",
    "closing": "102578b47e028552a1103eb6ff5471c9310a40373721c28520e1c02149f154d3",
    "closing of an empty month": "de4365edca720962870f5a3e4fb62532c95431c6a8bd7ee74da8a6b594a50543",
}


def test_the_bytes_can_be_made_by_any_json_library() -> None:
    """What an auditor writes in a language of their own comes to the same."""
    entry = waive(3, "2026-11", 815)
    form: list[Any] = ["machinaka-ledger-1", "entry", 7, bytes(32).hex(), entry.key, "waive", "line", "2026-11"]
    form += ["2026-11-28", "", None, None, 1_795_564_800_000, "花子", "jiro"]
    about = [3, "09012340001", 3, "R0001"]
    form.append(
        [
            ["waived", 815, *about, "disabled", "町指令第7号", "8-1", 2026, "2026-11"],
            ["receivable", -815, *about, "", "", "8-1", 2026, "2026-11"],
        ]
    )
    text = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
    assert ledger.entry_hash(written(entry, 7), bytes(32)) == hashlib.sha256(text.encode()).digest()


def test_each_field_counts() -> None:
    entry = msgspec.structs.replace(assess(1, "2026-11"), note="a")
    known = {ledger.entry_hash(written(entry, 1), ledger.START)}
    others: list[Entry] = [
        msgspec.structs.replace(entry, **{name: value})
        for name, value in (
            ("key", "b"),
            ("kind", "bill"),
            ("area", "benefit"),
            ("month", "2026-12"),
            ("effective_day", "2026-11-29"),
            ("note", "b"),
            ("corrects", 1),
        )
    ]
    for name, value in (
        ("account", "waived"),
        ("yen", 1),
        ("line_id", 9),
        ("resident_id", 9),
        ("ground", "x"),
        ("decision", "x"),
        ("budget_code", "x"),
        ("fiscal_year", 1),
        ("of_month", "2026-12"),
    ):
        leg = msgspec.structs.replace(entry.legs[0], **{name: value})
        others.append(msgspec.structs.replace(entry, legs=(leg, entry.legs[1])))
    others.append(msgspec.structs.replace(entry, legs=entry.legs[::-1]))
    for other in others:
        assert ledger.content_hash(other) != ledger.content_hash(entry)
        known.add(ledger.entry_hash(written(other, 1), ledger.START))
    known.add(ledger.entry_hash(written(entry, 2), ledger.START))
    known.add(ledger.entry_hash(written(entry, 1), bytes(31) + b"1"))
    for names in ((Name("09012340002", "R0001"), NAMES[1]), (Name("09012340001", "R0002"), NAMES[1])):
        known.add(ledger.entry_hash(written(entry, 1, names), ledger.START))
    for change in ({"booked_ms": 1}, {"by": "x"}, {"approved_by": "x"}):
        known.add(ledger.entry_hash(msgspec.structs.replace(written(entry, 1), **change), ledger.START))
    assert len(known) == 1 + len(others) + 7


def test_a_posting_is_alike_whatever_numbers_a_database_gives() -> None:
    one, other = assess(1, "2026-11"), assess(5, "2026-11")
    assert ledger.posting_hash(one, NAMES) == ledger.posting_hash(msgspec.structs.replace(other, key="k"), NAMES)
    turned = msgspec.structs.replace(one, legs=one.legs[::-1])
    assert ledger.posting_hash(one, NAMES) == ledger.posting_hash(turned, NAMES)
    assert ledger.posting_hash(one, NAMES) != ledger.posting_hash(one, (NAMES[0], Name("09012340002", "R0001")))


YEN = st.integers(-(10**9), 10**9).filter(bool)


@given(st.lists(YEN, min_size=1, max_size=6), st.integers(-3, 3))
def test_i1_legs_come_to_nothing(some: list[int], more: int) -> None:
    legs = [Leg(RECEIVABLE, yen) for yen in some]
    rest = -sum(some) + more
    entry = msgspec.structs.replace(assess(1, "2026-11"), legs=(*legs, Leg(FEE, rest)))
    if more == 0 and rest:
        ledger.check(entry)
    else:
        with pytest.raises(BadEntry if rest == 0 else Unbalanced):
            ledger.check(entry)


@pytest.mark.parametrize("yen", [1.0, 0.5, True, "1", None, 0, 10**12 + 1, float("nan")])
def test_i2_yen_are_whole(yen: Any) -> None:
    entry = msgspec.structs.replace(assess(1, "2026-11"), legs=(Leg(RECEIVABLE, yen), Leg(FEE, -1)))
    with pytest.raises(BadEntry, match="whole yen"):
        ledger.check(entry)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key", ""),
        ("key", "x" * 301),
        ("key", "a\nb"),
        ("kind", "Assess"),
        ("kind", "reversal"),
        ("area", "town"),
        ("month", "2026-13"),
        ("month", "2026-1"),
        ("effective_day", "2026-02-29"),
        ("effective_day", "20260228"),
        ("note", "a\x00b"),
        ("note", "\ud800"),
        ("note", "x" * 501),
        ("corrects", 0),
        ("corrects", True),
        ("legs", (Leg(FEE, 1),)),
        ("legs", ()),
        ("legs", (Leg("cake", 1), Leg(FEE, -1))),
        ("legs", (Leg(FEE, 1, line_id=-1), Leg(FEE, -1))),
        ("legs", (Leg(FEE, 1, of_month="november"), Leg(FEE, -1))),
        ("legs", (Leg(WAIVED, 1, ground="a\tb"), Leg(FEE, -1))),
    ],
)
def test_what_can_be_no_entry_is_said_in_one_sentence(field: str, value: Any) -> None:
    entry = msgspec.structs.replace(assess(1, "2026-11"), **{field: value})
    with pytest.raises(BadEntry) as told:
        ledger.check(entry)
    assert "expected" in str(told.value)
    assert "\n" not in str(told.value).replace("a\nb", "")


@given(st.dates().map(lambda day: day.isoformat()))
def test_days_and_months(day: str) -> None:
    assert ledger.is_day(day)
    if "1000" < day < "2999":
        month = day[:7]
        assert ledger.is_month(month)
        assert ledger.month_after(month) > month
        assert ledger.month_after(month)[:4] in (month[:4], f"{int(month[:4]) + 1:04}")
