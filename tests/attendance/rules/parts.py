"""What the tests of the rules are made of: times of Japan as text, one person, the holidays of 2026 and 2027."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from typing import Literal

from hub.attendance.rules import calendar
from hub.attendance.rules.given import Given, Order, Span, Tap
from hub.attendance.rules.japan import minute_of
from hub.attendance.rules.month import month
from hub.attendance.rules.profile import DEFAULT
from hub.attendance.rules.result import DayResult, MonthResult
from hub.staff.terms import Hours, Terms

JAPAN = timezone(timedelta(hours=9))
HOLIDAYS = calendar.holidays(date(2026, 3, 1), date(2028, 4, 30), DEFAULT.closed_days)
CLERK = Terms(since=date(2020, 4, 1), monthly_base_yen=250_000)
# Six hours on Monday to Friday, 1,200 yen.
HELPER = Terms(
    since=date(2020, 4, 1),
    kind="part_time",
    week=(*[Hours(540, 960)] * 5, None, None),
    hourly_yen=1200,
)


def ms(text: str) -> int:
    """`11-18 08:30` or with seconds, of 2026 in Japan; with the year where it is another."""
    text = text if text.startswith("20") else f"2026-{text}"
    return int(datetime.fromisoformat(text).replace(tzinfo=JAPAN).timestamp() * 1000)


def minute(text: str) -> int:
    """The minute of such a time."""
    return minute_of(ms(text))


def tap(text: str, direction: Literal["clock_in", "clock_out", ""] = "", terminal: str = "T1") -> Tap:
    """A tap."""
    return Tap(at_ms=ms(text), direction=direction, terminal=terminal)


def order(begin: str, end: str, ref: str = "") -> Order:
    """An order; the end may leave out its day."""
    return Order(span=Span(minute(begin), minute(end if " " in end else f"{begin.rpartition(' ')[0]} {end}")), ref=ref)


def day_of(text: str) -> date:
    """`11-18` of 2026."""
    return date.fromisoformat(text if text.startswith("20") else f"2026-{text}")


def given(
    taps: Iterable[str | Tap] = (),
    orders: Iterable[Order] = (),
    terms: Terms = CLERK,
    of: str = "2026-11",
    **more: object,
) -> Given:
    """One person's November."""
    made = tuple(one if isinstance(one, Tap) else tap(one) for one in taps)
    return Given(
        month=of,
        terms=(terms,),
        taps=made,
        orders=tuple(orders),
        holidays=HOLIDAYS,
        **more,  # type: ignore[arg-type]
    )


def worked_out(
    taps: Iterable[str | Tap] = (),
    orders: Iterable[Order] = (),
    terms: Terms = CLERK,
    of: str = "2026-11",
    **more: object,
) -> MonthResult:
    """What that comes to."""
    return month(given(taps, orders, terms, of, **more))


def the_day(result: MonthResult, text: str) -> DayResult:
    """One day of it."""
    return next(one for one in result.days if one.day == day_of(text))


def full_days(*days: str, begin: str = "08:30", end: str = "17:15") -> list[str]:
    """Two taps on each day."""
    return [f"{day} {clock}" for day in days for clock in (begin, end)]
