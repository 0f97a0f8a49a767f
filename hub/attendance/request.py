"""What people ask for, and what may become of it (rule).

1. A request is typed: overtime order (時間外勤務命令), leave, correction of a punch, swap (週休日の振替), substitute
   day (代休日), the reason of a gap between presence and order.  It is never changed: whoever wants it otherwise enters
   another.
2. A state follows from the decisions in their order (`STEPS`); a decision that does not fit the state is refused.
3. Who enters is never who decides, and nobody decides on their own time, whatever their role.
4. Only who entered a request withdraws it, while nobody has decided, and may take that back.
5. Of one person no two orders overlap, no two leaves, and no day is swapped or substituted twice (`clash`): not among
   what is approved, nor among what may yet be.
6. An order counts as given afterwards (事後) when it was entered after it had begun.

Times are of Japan, to the minute, without a zone (`datetime` naive); minutes of a day count from 00:00.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Literal, get_args

import msgspec

from hub.attendance.rules.given import Correction, Leave, Order, Span, Substitute, Swap
from hub.people import Person
from hub.shown import moment
from hub.staff.terms import Hours

Kind = Literal["order", "leave", "correction", "swap", "substitute", "gap"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LeaveKind = Literal["annual", "sick", "special", "care", "unpaid", "absent", "trip"]
LEAVE_KINDS: tuple[LeaveKind, ...] = get_args(LeaveKind)
Part = Literal["day", "morning", "afternoon", "hours"]
PARTS: tuple[Part, ...] = get_args(Part)
State = Literal["waiting", "approved", "refused", "revoked", "withdrawn"]
STATES: tuple[State, ...] = get_args(State)
Decision = Literal["approved", "refused", "revoked", "withdrawn", "entered_again"]
DECISIONS: tuple[Decision, ...] = get_args(Decision)
# Why a decision is not taken (`request_cannot_…` in the words).
Refusal = Literal["state", "own_entry", "own_time", "not_yours", "note", "clash"]

# One entry of leave; longer ones are entered one after the other, so that a month's entries are found quickly.
LONGEST_DAYS = 366
_MINUTE = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (a moment of Japan, counted in minutes)
_JAPAN_MIN = 9 * 60
_UNPAID: frozenset[LeaveKind] = frozenset({"unpaid", "absent"})


class OrderBody(msgspec.Struct, frozen=True, tag="order", tag_field="kind", forbid_unknown_fields=True):
    """Overtime from a minute to before another."""

    begin: datetime
    end: datetime


class LeaveBody(msgspec.Struct, frozen=True, tag="leave", tag_field="kind", forbid_unknown_fields=True):
    """Leave on whole days from `first` through `last`, or in `hours` of one day; `part` is how it was asked for."""

    first: date
    last: date
    leave: LeaveKind
    part: Part = "day"
    hours: Hours | None = None


class CorrectionBody(msgspec.Struct, frozen=True, tag="correction", tag_field="kind", forbid_unknown_fields=True):
    """When somebody came, went, or both, on a duty day."""

    day: date
    in_at: datetime | None = None
    out_at: datetime | None = None


class SwapBody(msgspec.Struct, frozen=True, tag="swap", tag_field="kind", forbid_unknown_fields=True):
    """A weekly day off that is worked and a working day that is off for it; with hours, of these alone."""

    worked: date
    off: date
    worked_hours: Hours | None = None
    off_hours: Hours | None = None


class SubstituteBody(msgspec.Struct, frozen=True, tag="substitute", tag_field="kind", forbid_unknown_fields=True):
    """A holiday that is worked and a working day that is off for it."""

    worked: date
    off: date


class GapBody(msgspec.Struct, frozen=True, tag="gap", tag_field="kind", forbid_unknown_fields=True):
    """Why somebody was present without an order, on a day; the reason itself stands beside the body."""

    day: date


Body = OrderBody | LeaveBody | CorrectionBody | SwapBody | SubstituteBody | GapBody


class Decided(msgspec.Struct, frozen=True):
    """A decision on a request, by whom and why."""

    decision: Decision
    note: str
    at_ms: int
    who: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request and what was decided on it, oldest first; `entered_by` is a sign-in name."""

    id: int
    staff_id: int
    body: Body
    reason: str
    entered_ms: int
    entered_by: str
    decided: tuple[Decided, ...] = ()

    @property
    def kind(self) -> Kind:
        """What it is."""
        return kind_of(self.body)

    @property
    def state(self) -> State:
        """How it stands."""
        return state_of(one.decision for one in self.decided)

    @property
    def afterwards(self) -> bool:
        """Whether an order was entered after it had begun (事後)."""
        return isinstance(self.body, OrderBody) and self.entered_ms >= utc_ms(self.body.begin)


class Approved(msgspec.Struct, frozen=True):
    """What of one person's requests counts, as the rules of the month take it."""

    orders: tuple[Order, ...] = ()
    leaves: tuple[Leave, ...] = ()
    swaps: tuple[Swap, ...] = ()
    substitutes: tuple[Substitute, ...] = ()
    corrections: tuple[Correction, ...] = ()


# From a state by a decision to the next; what is not here is not done.
STEPS: dict[tuple[State, Decision], State] = {
    ("waiting", "approved"): "approved",
    ("waiting", "refused"): "refused",
    ("waiting", "withdrawn"): "withdrawn",
    ("withdrawn", "entered_again"): "waiting",
    ("approved", "revoked"): "revoked",
}
# What only the one who entered it does; the rest is for another person.
OF_ENTERER: frozenset[Decision] = frozenset({"withdrawn", "entered_again"})
NEEDS_NOTE: frozenset[Decision] = frozenset({"refused", "revoked"})


def state_of(decisions: Iterable[Decision]) -> State:
    """The state that decisions lead to, in their order."""
    state: State = "waiting"
    for one in decisions:
        state = STEPS.get((state, one), state)
    return state


def may_decide(one: Request, decision: Decision, who: Person, of_person: int | None, note: str) -> Refusal | None:
    """Why somebody may not take this decision; `of_person` signs in as the one whose time it is, if anybody does."""
    if decision in OF_ENTERER:
        if one.entered_by != who.name:
            return "not_yours"
    elif who.id == of_person:
        return "own_time"
    elif one.entered_by == who.name:
        return "own_entry"
    if (one.state, decision) not in STEPS:
        return "state"
    return "note" if decision in NEEDS_NOTE and not note.strip() else None


def clash(one: Body, other: Body) -> bool:
    """Whether two requests of the same person cannot both be so."""
    if isinstance(one, OrderBody) and isinstance(other, OrderBody):
        return one.begin < other.end and other.begin < one.end
    if isinstance(one, LeaveBody) and isinstance(other, LeaveBody):
        return _leave_clash(one, other)
    if isinstance(one, SwapBody | SubstituteBody) and isinstance(other, SwapBody | SubstituteBody):
        return bool({one.worked, one.off} & {other.worked, other.off})
    return False


def _leave_clash(one: LeaveBody, other: LeaveBody) -> bool:
    if one.last < other.first or other.last < one.first:
        return False
    if one.hours is None or other.hours is None:
        return True
    return one.hours.begin < other.hours.end and other.hours.begin < one.hours.end


def kind_of(body: Body) -> Kind:
    """The kind of a body."""
    kind: Kind = body.__struct_config__.tag  # type: ignore[assignment]
    return kind


def days_of(body: Body) -> tuple[date, date]:
    """The first and the last day that a body touches."""
    match body:
        case OrderBody(begin=begin, end=end):
            return begin.date(), max(begin.date(), (end - _MINUTE).date())
        case LeaveBody(first=first, last=last):
            return first, last
        case SwapBody(worked=worked, off=off) | SubstituteBody(worked=worked, off=off):
            return min(worked, off), max(worked, off)
        case _:
            return body.day, body.day


def minute_of(when: datetime) -> int:
    """Minutes since 1970-01-01T00:00 in Japan."""
    return (when - _EPOCH) // _MINUTE


def utc_ms(when: datetime) -> int:
    """The moment in milliseconds of UTC."""
    return (minute_of(when) - _JAPAN_MIN) * 60_000


def local(at_ms: int) -> datetime:
    """A moment as the naive time of Japan, to the minute."""
    return moment(at_ms).replace(second=0, microsecond=0, tzinfo=None)


def at_minute(day: date, minute: int) -> datetime:
    """A minute of a day; past 1440 it lies in the next."""
    return datetime(day.year, day.month, day.day) + timedelta(minutes=minute)  # noqa: DTZ001 (of Japan)


def span_of(body: OrderBody) -> Span:
    """An order's minutes."""
    return Span(minute_of(body.begin), minute_of(body.end))


def leave_span(day: date, hours: Hours) -> Span:
    """Hours of a day as minutes."""
    return Span(minute_of(at_minute(day, hours.begin)), minute_of(at_minute(day, hours.end)))


def approved_of(found: Iterable[tuple[int, Body]]) -> Approved:
    """What approved bodies (request number, body), in the order in which they were entered, come to."""
    orders: list[Order] = []
    leaves: list[Leave] = []
    swaps: list[Swap] = []
    substitutes: list[Substitute] = []
    corrections: list[Correction] = []
    for number, body in found:
        ref = f"request:{number}"
        match body:
            case OrderBody():
                orders.append(Order(span=span_of(body), ref=ref))
            case LeaveBody():
                leaves += _leaves(body, ref)
            case SwapBody(worked=worked, off=off, worked_hours=worked_hours, off_hours=off_hours):
                swaps.append(Swap(worked=worked, off=off, worked_hours=worked_hours, off_hours=off_hours, ref=ref))
            case SubstituteBody(worked=worked, off=off):
                substitutes.append(Substitute(worked=worked, off=off, ref=ref))
            case CorrectionBody(day=day, in_at=in_at, out_at=out_at):
                corrections.append(
                    Correction(
                        day=day,
                        in_ms=None if in_at is None else utc_ms(in_at),
                        out_ms=None if out_at is None else utc_ms(out_at),
                        ref=ref,
                    )
                )
            case GapBody():
                pass
    return Approved(tuple(orders), tuple(leaves), tuple(swaps), tuple(substitutes), tuple(corrections))


def _leaves(body: LeaveBody, ref: str) -> Iterable[Leave]:
    paid = body.leave not in _UNPAID
    for number in range((body.last - body.first).days + 1):
        day = body.first + timedelta(days=number)
        span = None if body.hours is None else leave_span(day, body.hours)
        yield Leave(day=day, kind=body.leave, span=span, paid=paid, ref=ref)
