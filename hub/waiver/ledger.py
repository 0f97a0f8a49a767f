"""The ledger of fees, waivers and benefits (rule): entries of legs in whole yen, and the bytes that are hashed of them.

1. The legs of an entry come to 0: debits above it, credits below.  Yen are integers, never 0, never a fraction.
2. An entry is known by its `key`: the same once more is the same entry (`content_hash`), another content is a conflict.
3. A reversal says the exact opposite of one entry, which is reversed once at most; a reversal can itself be reversed.
   `corrects` names the entry that a later one puts right in an open month.
4. Three hashes, over JSON arrays in UTF-8 without spaces, in an order of fields that is frozen (`_FORM`):
   `content_hash` is what whoever posts has said; `posting_hash` the same without key and database numbers, lines and
   residents by their phone and resident number, legs in order: alike on every machine; `entry_hash` all that is stored
   of an entry, its number and the hash of the one before it.
5. `closing_hash` is over the sorted posting hashes of a month: the same for any order of arrival.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

# The accounts, by what a town's bookkeeping calls them:
# 役務費（通信運搬費）, 未払金, 照会中, 未収金, 使用料, 減免, 現金・預り, 歳計現金, 扶助費, 過誤納金, 不納欠損 in turn.
EXPENSE = "expense"
PAYABLE = "payable"
SUSPENSE = "suspense"
RECEIVABLE = "receivable"
FEE = "fee"
WAIVED = "waived"
CASH = "cash"
TREASURY = "treasury"
AID = "aid"
OVERPAID = "overpaid"
WRITTEN_OFF = "written_off"
ACCOUNTS = (
    EXPENSE,
    PAYABLE,
    SUSPENSE,
    RECEIVABLE,
    FEE,
    WAIVED,
    CASH,
    TREASURY,
    AID,
    OVERPAID,
    WRITTEN_OFF,
)
# What is closed together: fees and waivers of lines; benefits on cards.
AREAS = ("line", "benefit")
REVERSAL = "reversal"

# The hash before the first entry.
START = bytes(32)
# More than a town of this size turns over in a century; sums of many stay exact in every spreadsheet.
MOST_YEN = 10**12

_FORM = "machinaka-ledger-1"
_KIND = re.compile(r"[a-z][a-z_]{0,30}")
_MONTH = re.compile(r"[12][0-9]{3}-(0[1-9]|1[0-2])")
_KEY_LENGTH = 300
_TEXT_LENGTH = 500


class NotPosted(Exception):
    """Why nothing was written, in one sentence; the classes below say which rule."""


class BadEntry(NotPosted):
    """Something that can be no entry: a field that is none, an account or a number that is not known."""


class Unbalanced(BadEntry):
    """Legs that do not come to 0."""


class Conflict(NotPosted):
    """A key that stands for something else already."""


class MonthClosed(NotPosted):
    """A month that takes no entry any more."""


class AlreadyReversed(NotPosted):
    """An entry that is reversed already."""


class SamePerson(NotPosted):
    """Whoever enters or closes cannot approve it."""


class Leg(msgspec.Struct, frozen=True, gc=False):
    """One side of an entry: yen above 0 are a debit, below a credit.

    `of_month` (YYYY-MM) is the month of use that the yen belong to, `ground` and `decision` why they were waived;
    `line_id` and `resident_id` 0: about none.
    """

    account: str
    yen: int
    line_id: int = 0
    resident_id: int = 0
    ground: str = ""
    decision: str = ""
    budget_code: str = ""
    fiscal_year: int = 0
    of_month: str = ""


class Entry(msgspec.Struct, frozen=True):
    """What is to be written: booked in `month` (YYYY-MM), about `effective_day` (YYYY-MM-DD).

    `corrects`, `reverses`: the numbers of entries.
    """

    key: str
    kind: str
    area: str
    month: str
    effective_day: str
    legs: tuple[Leg, ...]
    note: str = ""
    corrects: int | None = None
    reverses: int | None = None


class Name(msgspec.Struct, frozen=True, gc=False):
    """A leg's line and resident as people know them, when it was written."""

    phone: str = ""
    resident: str = ""


class Written(msgspec.Struct, frozen=True):
    """An entry as it stands in the ledger; `names` one a leg."""

    seq: int
    entry: Entry
    names: tuple[Name, ...]
    booked_ms: int
    by: str
    approved_by: str


class Booked(msgspec.Struct, frozen=True, kw_only=True):
    """An entry as it stands, with its place in the chain and what has taken it back."""

    written: Written
    content_hash: bytes
    posting_hash: bytes
    prev: bytes
    hash: bytes
    reversed_by: int | None

    @property
    def seq(self) -> int:
        """Its number."""
        return self.written.seq

    @property
    def entry(self) -> Entry:
        """What it says."""
        return self.written.entry

    @property
    def debit_yen(self) -> int:
        """The sum of its debits."""
        return sum(leg.yen for leg in self.entry.legs if leg.yen > 0)


def check(entry: Entry) -> None:
    """Whether this can be an entry. Raises BadEntry, Unbalanced."""
    _require(0 < len(entry.key) <= _KEY_LENGTH, entry, "key", "a text of at most 300 characters")
    _require(_KIND.fullmatch(entry.kind) is not None, entry, "kind", "lower-case letters")
    _require(entry.area in AREAS, entry, "area", f"one of {', '.join(AREAS)}")
    _require(is_month(entry.month), entry, "month", "YYYY-MM")
    _require(is_day(entry.effective_day), entry, "effective_day", "YYYY-MM-DD")
    _require((entry.kind == REVERSAL) == (entry.reverses is not None), entry, "kind", "reversal for what reverses")
    for name, number in (("corrects", entry.corrects), ("reverses", entry.reverses)):
        _require(number is None or (type(number) is int and number > 0), entry, name, "the number of an entry")
    for name, text in (("key", entry.key), ("note", entry.note)):
        _check_text(entry, name, text)
    _require(len(entry.legs) >= 2, entry, "legs", "two or more")
    for leg in entry.legs:
        _check_leg(entry, leg)
    total = sum(leg.yen for leg in entry.legs)
    if total:
        raise Unbalanced(f"entry {entry.key}: its legs come to {total} yen; expected 0")


def _check_leg(entry: Entry, leg: Leg) -> None:
    _require(leg.account in ACCOUNTS, entry, f"account {leg.account!r}", f"one of {', '.join(ACCOUNTS)}")
    # A bool is an int to Python, and a fraction of a yen is none.
    whole = type(leg.yen) is int and 0 < abs(leg.yen) <= MOST_YEN
    _require(whole, entry, f"yen {leg.yen!r}", "whole yen, not 0")
    for name in ("line_id", "resident_id", "fiscal_year"):
        number = getattr(leg, name)
        _require(type(number) is int and 0 <= number < 2**63, entry, name, "a number, or 0 for none")
    _require(leg.of_month == "" or is_month(leg.of_month), entry, "of_month", "YYYY-MM, or nothing")
    for name in ("ground", "decision", "budget_code"):
        _check_text(entry, name, getattr(leg, name))


def _check_text(entry: Entry, name: str, text: object) -> None:
    # Nothing that breaks a line of an export, and nothing that has no bytes in UTF-8.
    plain = isinstance(text, str) and len(text) <= _TEXT_LENGTH and not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text)
    _require(plain, entry, name, "one line of at most 500 characters")


def _require(holds: bool, entry: Entry, what: str, expected: str) -> None:  # noqa: FBT001 (the one question asked)
    if not holds:
        raise BadEntry(f"entry {entry.key[:80]}: {what} is wrong; expected {expected}")


def is_month(text: str) -> bool:
    """Whether this is a month, YYYY-MM."""
    return _MONTH.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether this is a day of the calendar, YYYY-MM-DD."""
    try:
        return len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def month_after(month: str) -> str:
    """The month that follows."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04}-01" if number == 12 else f"{year:04}-{number + 1:02}"


def opposite(legs: Iterable[Leg]) -> tuple[Leg, ...]:
    """The same legs with each sum turned round: what a reversal says."""
    return tuple(msgspec.structs.replace(leg, yen=-leg.yen) for leg in legs)


# ---- the frozen bytes


def content_hash(entry: Entry) -> bytes:
    """What stands for all that whoever posts has said."""
    legs = [msgspec.structs.astuple(leg) for leg in entry.legs]
    said = (entry.key, entry.kind, entry.area, entry.month, entry.effective_day, entry.note)
    return _hash("content", *said, entry.corrects, entry.reverses, legs)


def posting_hash(entry: Entry, names: Sequence[Name], corrects: bytes = b"", reverses: bytes = b"") -> bytes:
    """What stands for an entry on every machine; `corrects` and `reverses`: the posting hashes of those entries."""
    legs = sorted(
        [
            leg.account,
            leg.yen,
            name.phone,
            name.resident,
            leg.ground,
            leg.decision,
            leg.budget_code,
            leg.fiscal_year,
            leg.of_month,
        ]
        for leg, name in zip(entry.legs, names, strict=True)
    )
    said = (entry.kind, entry.area, entry.month, entry.effective_day, entry.note)
    return _hash("posting", *said, corrects.hex(), reverses.hex(), legs)


def entry_hash(written: Written, prev: bytes) -> bytes:
    """The link of an entry in the chain."""
    entry = written.entry
    legs = [
        (
            leg.account,
            leg.yen,
            leg.line_id,
            name.phone,
            leg.resident_id,
            name.resident,
            leg.ground,
            leg.decision,
            leg.budget_code,
            leg.fiscal_year,
            leg.of_month,
        )
        for leg, name in zip(entry.legs, written.names, strict=True)
    ]
    said = (entry.key, entry.kind, entry.area, entry.month, entry.effective_day, entry.note)
    how = (written.booked_ms, written.by, written.approved_by)
    return _hash("entry", written.seq, prev.hex(), *said, entry.corrects, entry.reverses, *how, legs)


def closing_hash(area: str, month: str, postings: Iterable[bytes]) -> str:
    """What stands for a closed month, in hex: over its posting hashes, in any order."""
    return _hash("closing", area, month, sorted(one.hex() for one in postings)).hex()


def _hash(*parts: Any) -> bytes:
    return hashlib.sha256(msgspec.json.encode((_FORM, *parts))).digest()
