"""A month of lines as entries of the ledger (rule): what each resident is assessed, and what of it is waived.

1. A line that a resident had in the month is assessed with all that it cost: Dr 未収金 (receivable) / Cr 使用料 (fee).
   A line without a resident is the town's own: nothing is assessed.
2. What is waived is a second entry, a leg for each ground and decision: Dr 減免 (waived) / Cr 未収金.  The decision's
   number stands in the leg, and in the register the clause of the ordinance under that number.
3. Both belong to the fiscal year of the month of use (施行令142条, 地方自治法208条), whenever they are booked.
4. No budget code stands in these legs: a line's is that of the expense, and income has another (a voucher's layout
   says which).
5. The same assessment gives the same entries, in any order of its lines.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from hub.waiver.ledger import FEE, RECEIVABLE, WAIVED, Entry, Leg
from hub.waiver.rules.fiscal import fiscal_year_of
from hub.waiver.rules.months import last_day
from hub.waiver.rules.result import Assessment, LineResult

AREA = "line"
Kind = Literal["assess", "waive"]
KINDS: tuple[Kind, ...] = ("assess", "waive")


class Holder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whose line it was in the month, in the numbers of the database; `resident_id` 0: nobody's."""

    line_id: int
    phone: str
    resident_id: int = 0
    resident: str = ""


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """An entry as the facts would have it; `phone` and `of_month` and `kind` say which one it is."""

    kind: Kind
    of_month: str
    phone: str
    legs: tuple[Leg, ...]


def wanted(assessment: Assessment, holders: Mapping[str, Holder]) -> list[Wanted]:
    """What the facts of a month come to, in the order of phone numbers; `holders` by the ids of the assessment's lines.

    Two stretches of one line in a month (two residents) stand under its phone number with a sign of their own, which
    the id carries after it.
    """
    found: list[Wanted] = []
    for line in assessment.lines:
        holder = holders[line.id]
        if holder.resident_id:
            found += _of_line(assessment.month, line, holder)
    return sorted(found, key=lambda one: (one.phone, one.kind))


def _of_line(month: str, line: LineResult, holder: Holder) -> Iterable[Wanted]:
    if line.total:
        fee = _leg(month, holder, FEE, -line.total)
        yield Wanted("assess", month, line.id, (_leg(month, holder, RECEIVABLE, line.total), fee))
    if line.waived:
        legs = [
            _leg(month, holder, WAIVED, one.waived, ground=one.account or one.rule, decision=one.ref)
            for one in line.grounds
            if one.waived
        ]
        yield Wanted("waive", month, line.id, (*legs, _leg(month, holder, RECEIVABLE, -line.waived)))


def _leg(month: str, holder: Holder, account: str, yen: int, *, ground: str = "", decision: str = "") -> Leg:
    return Leg(
        account=account,
        yen=yen,
        line_id=holder.line_id,
        resident_id=holder.resident_id,
        ground=ground,
        decision=decision,
        fiscal_year=fiscal_year_of(month),
        of_month=month,
    )


def entry(one: Wanted, booked: str, times: int = 0, corrects: int | None = None, note: str = "") -> Entry:
    """The entry to post, booked in `booked`. `times`: how often this line's month was entered before."""
    again = f":{times + 1}" if times else ""
    return Entry(
        key=f"{one.kind}:{one.of_month}:{one.phone}{again}",
        kind=one.kind,
        area=AREA,
        month=booked,
        effective_day=last_day(one.of_month).isoformat(),
        legs=one.legs,
        note=note,
        corrects=corrects,
    )
