"""A bill as entries of the ledger (rule): what is billed is owed, what was not expected waits in suspense.

1. A line: Dr 役務費・通信運搬費 (expense) what was expected, Dr 照会中 (suspense) the difference / Cr 未払金 (payable)
   what was billed.  Of a line that nobody knows all of it waits.  A missing line owes nothing and has no entry.
2. A decision: accepted, Dr expense / Cr suspense; taken back by the carrier, Dr payable / Cr suspense.  A carrier that
   was asked leaves it where it is.
3. The fiscal year is that of the period of use; of one that reaches over two years, that of the due date
   (地方自治法施行令143条1項3号).
4. Keys are the same on every machine: carrier, month, the file's digest and the line's place in it.
"""

from collections.abc import Iterable
from datetime import date

from hub.waiver.bill import Bill, Decision, Line
from hub.waiver.ledger import EXPENSE, PAYABLE, SUSPENSE, Entry, Leg
from hub.waiver.rules.fiscal import year_of_period

AREA = "line"
BILL, DIFFERENCE = "bill", "difference"
_DIGEST = 12


def key_of(bill: Bill, kind: str = BILL) -> str:
    """What the keys of a bill's entries begin with."""
    return f"{kind}:{bill.carrier}:{bill.month}:{bill.file_hash[:_DIGEST]}:"


def fiscal_year_of(bill: Bill) -> int:
    """The fiscal year that the bill is paid from; without a due date that of the period's end."""
    last = date.fromisoformat(bill.last_day)
    due = date.fromisoformat(bill.due_day) if bill.due_day else last
    return year_of_period(date.fromisoformat(bill.first_day), last, due)


def entries(bill: Bill, lines: Iterable[Line], month: str) -> list[Entry]:
    """The bill's entries, booked in `month`; a line that comes to nothing has none."""
    found = []
    for line in lines:
        difference = line.difference_yen if line.verdict != "MISSING_LINE" else 0
        legs = _legs(bill, line, ((EXPENSE, line.total_yen - difference), (SUSPENSE, difference)), line.total_yen)
        if line.verdict != "MISSING_LINE" and legs:
            found.append(_entry(bill, line, BILL, month, bill.last_day, legs))
    return found


def differences(bill: Bill, lines: Iterable[Line], decisions: Iterable[Decision], month: str) -> list[Entry]:
    """The entries of what was decided on differences, booked in `month`."""
    ended = {one.n: one for one in decisions if one.decided != "asked"}
    found = []
    for line in lines:
        decision = ended.get(line.n)
        if decision is None or line.verdict == "MISSING_LINE":
            continue
        account = EXPENSE if decision.decided == "accepted" else PAYABLE
        legs = _legs(bill, line, ((account, line.difference_yen), (SUSPENSE, -line.difference_yen)), 0)
        if legs:
            found.append(_entry(bill, line, DIFFERENCE, month, decision.day, legs))
    return found


def _legs(bill: Bill, line: Line, sides: Iterable[tuple[str, int]], payable_yen: int) -> tuple[Leg, ...]:
    return tuple(
        Leg(
            account=account,
            yen=yen,
            line_id=line.line_id or 0,
            budget_code=line.budget_code,
            fiscal_year=fiscal_year_of(bill),
            of_month=bill.month,
        )
        for account, yen in (*sides, (PAYABLE, -payable_yen))
        if yen
    )


def _entry(bill: Bill, line: Line, kind: str, month: str, day: str, legs: tuple[Leg, ...]) -> Entry:
    verdict = "" if line.verdict == "OK" else f" {line.verdict}"
    return Entry(
        key=f"{key_of(bill, kind)}{line.n}",
        kind=kind,
        area=AREA,
        month=month,
        effective_day=day,
        legs=legs,
        note=f"{bill.carrier} {bill.number} {line.phone}{verdict}".replace("  ", " "),
    )
