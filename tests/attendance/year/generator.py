"""A year of a town hall by a seed: what people truly did, and what six time clocks tell the hub of it.

The truth is kept apart from what the devices send.  Clocks run ahead or were never set and are put right by a reading
of the same boot, or never; cards are read twice; people forget to tap and have it corrected; one time clock in a depot
has no line for days, and its taps come when their month is closed already.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal, NamedTuple

import msgspec

from hub.attendance.rules.given import Assigned, Correction, Given, Leave, Order, Span, Substitute, Swap, Tap
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.staff.terms import Hours, Terms
from tests.attendance.oracle.case import free_days
from tests.attendance.oracle.oracle import first_minute
from wire import codec
from wire.messages import ClockQuality, ClockReading, Lane, Punch, Record

FIRST, LAST = date(2026, 4, 1), date(2027, 3, 31)
HOLIDAYS = free_days(2025, 2027)
DEPARTMENTS = ("010", "020", "030")
TERMINALS = 6
# 03:00 of the day after.
DAY_LINE_MIN = 1620
# 14:30: a lone tap from here on reads as a going.
CLOCK_OUT_FROM_MIN = 870
DEPOT = 5
MINUTE_MS, DAY_MS = 60_000, 86_400_000
TOWN_DAY = Hours(510, 1035)
SHORT_DAY = Hours(540, 960)
DAY_SHIFT, LATE_SHIFT, NIGHT_SHIFT = Hours(510, 1035), Hours(780, 1305), Hours(1320, 1860)
CYCLE = (DAY_SHIFT, DAY_SHIFT, NIGHT_SHIFT, None, None, LATE_SHIFT, DAY_SHIFT, None)


class TrueTap(NamedTuple):
    """Somebody held a card to a time clock."""

    at_ms: int
    terminal: int
    card: str
    chosen: Literal["clock_in", "clock_out", ""] = ""


class Held(NamedTuple):
    """A card in somebody's hands, perhaps until it was lost."""

    token: str
    from_ms: int
    lost_ms: int | None


@dataclass
class Someone:
    """A person and all that they truly did in the year."""

    number: str
    terms: tuple[Terms, ...]
    left: date | None
    cards: list[Held]
    taps: list[TrueTap] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    refused: list[Order] = field(default_factory=list)
    leaves: list[Leave] = field(default_factory=list)
    swaps: list[Swap] = field(default_factory=list)
    substitutes: list[Substitute] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    assigned: dict[date, Hours | None] = field(default_factory=dict)

    def terms_on(self, day: date) -> Terms | None:
        """How they are employed on a day."""
        if self.left is not None and day > self.left:
            return None
        return next((one for one in reversed(self.terms) if one.since <= day), None)

    def card_at(self, at_ms: int) -> str:
        """The card that they hold."""
        return next(one.token for one in self.cards if one.lost_ms is None or at_ms < one.lost_ms)


class Boot(NamedTuple):
    """A time clock from one start to the next, and how its wall clock went."""

    name: str
    begin_ms: int
    lead_ms: int
    quality: ClockQuality
    # When, after the start, the wall clock turned out; None: never in this boot.
    read_after_ms: int | None

    def raw(self, at_ms: int) -> tuple[int, ClockQuality]:
        """What the wall clock says at a moment, and how sure it is of it."""
        if self.quality == "synced" or (self.read_after_ms is not None and at_ms >= self.begin_ms + self.read_after_ms):
            return at_ms, "synced"
        return (at_ms - self.begin_ms if self.quality == "unset" else at_ms + self.lead_ms), self.quality


class Sent(NamedTuple):
    """A record, and when it was made."""

    at_ms: int
    lane: Lane
    record: Record


@dataclass
class Year:
    """The year."""

    people: list[Someone]
    boots: list[list[Boot]]

    def given(self, who: Someone, month: str, known_ms: int, depot_until_ms: int) -> Given:
        """The month of somebody, from what was known at a moment; the depot's taps were known until another."""
        begin = date.fromisoformat(f"{month}-01")
        first, last = begin - timedelta(days=9), begin + timedelta(days=40)
        return Given(
            month=month,
            terms=who.terms,
            taps=tuple(
                self._seen(tap, known_ms)
                for tap in who.taps
                if ms(first) <= tap.at_ms < ms(last)
                and tap.at_ms < (depot_until_ms if tap.terminal == DEPOT else known_ms)
            ),
            orders=tuple(who.orders),
            swaps=tuple(who.swaps),
            substitutes=tuple(who.substitutes),
            leaves=tuple(who.leaves),
            corrections=tuple(who.corrections),
            assigned=tuple(Assigned(day=day, hours=hours) for day, hours in who.assigned.items()),
            holidays=HOLIDAYS,
            profile=DEFAULT,
            until=begin + timedelta(days=40),
            left=who.left,
        )

    def boot_at(self, terminal: int, at_ms: int) -> Boot:
        """Which boot of a time clock a moment is in."""
        return next(boot for boot in reversed(self.boots[terminal]) if boot.begin_ms <= at_ms)

    def _seen(self, tap: TrueTap, known_ms: int) -> Tap:
        boot = self.boot_at(tap.terminal, tap.at_ms)
        raw_ms, quality = boot.raw(tap.at_ms)
        # A clock reading that has not come yet puts nothing right.
        told = boot.read_after_ms is not None and boot.begin_ms + boot.read_after_ms < known_ms
        known = quality == "synced" or told
        at_ms = tap.at_ms if known else raw_ms
        return Tap(at_ms=at_ms, direction=tap.chosen, skew_s=(raw_ms - at_ms) // 1000, trusted=known)

    def sent(self, terminal: int) -> list[Sent]:
        """All that a time clock has to tell, in the order in which it came about."""
        moments: list[tuple[int, TrueTap | Boot]] = [
            (tap.at_ms, tap) for who in self.people for tap in who.taps if tap.terminal == terminal
        ]
        for boot, following in zip(self.boots[terminal], [*self.boots[terminal][1:], None], strict=True):
            ends_ms = following.begin_ms if following else ms(LAST) + 30 * DAY_MS
            if boot.read_after_ms is not None and boot.begin_ms + boot.read_after_ms < ends_ms:
                moments.append((boot.begin_ms + boot.read_after_ms, boot))
        seqs: dict[Lane, int] = {"urgent": 0, "bulk": 0}
        found = []
        for at_ms, what in sorted(moments, key=lambda one: one[0]):
            lane: Lane = "urgent" if isinstance(what, TrueTap) else "bulk"
            seqs[lane] += 1
            found.append(Sent(at_ms, lane, self._record(seqs[lane], terminal, at_ms, what)))
        return found

    def _record(self, seq: int, terminal: int, at_ms: int, what: TrueTap | Boot) -> Record:
        boot = self.boot_at(terminal, at_ms)
        mono_ms = at_ms - boot.begin_ms
        raw_ms, quality = boot.raw(at_ms)
        if isinstance(what, TrueTap):
            body: msgspec.Struct = Punch(
                what.card, what.chosen or "clock_in", chosen="person" if what.chosen else "time"
            )
            kind = "punch"
        else:
            body, kind = ClockReading(at_ms, mono_ms, was=boot.quality), "clock"
        return Record(seq, kind, boot.name, mono_ms, raw_ms, quality, msgspec.Raw(codec.encode_body(body)))


def year(people: int, seed: int = 1) -> Year:
    """A year of so many people."""
    chance = random.Random(seed)
    made = Year([_someone(n, chance) for n in range(people)], [_boots(n, chance) for n in range(TERMINALS)])
    for who in made.people:
        _Life(who, chance, DEFAULT).live()
    return made


def ms(day: date, minute: int = 0, second: int = 0) -> int:
    """Milliseconds of a minute of a day in Japan."""
    return (first_minute(day) + minute - 540) * MINUTE_MS + second * 1000


def depot_silent_from(month: str) -> int | None:
    """From when on the depot's time clock has no line in a month, until the month is closed; None: it has one."""
    return ms(date.fromisoformat(f"{month}-18")) if month[5:] in ("05", "08", "11", "12", "02") else None


def _boots(terminal: int, chance: random.Random) -> list[Boot]:
    found: list[Boot] = []
    begin_ms = ms(FIRST - timedelta(days=2), 30)
    while begin_ms < ms(LAST) + 20 * DAY_MS:
        number = len(found)
        quality: ClockQuality = "synced"
        lead_ms, read_after_ms = 0, None
        if terminal == 3:
            quality, lead_ms, read_after_ms = "held", chance.choice((75_000, -130_000, 4_000)), 9 * DAY_MS
        elif terminal == 4:
            quality, read_after_ms = "unset", chance.randrange(1, 40) * 3_600_000
        elif terminal == 2 and number % 3 == 1:
            quality, lead_ms = "held", -21_000
        found.append(
            Boot(f"{terminal:08}-{number:04}-4000-8000-000000000000", begin_ms, lead_ms, quality, read_after_ms)
        )
        begin_ms += chance.randrange(12, 45) * DAY_MS + chance.randrange(3_600_000)
    return found


def _someone(n: int, chance: random.Random) -> Someone:
    since = date(2026, 7, 15) if n % 15 == 7 else date(2020, 4, 1)
    department, base = DEPARTMENTS[n % 3], 198_300 + 7_100 * (n % 23)
    terms: tuple[Terms, ...]
    if n % 6 == 3:
        terms = (
            Terms(
                since=since,
                department=department,
                kind="part_time",
                hourly_yen=1_135 + n,
                week=(SHORT_DAY,) * 5 + (None, None),
            ),
        )
    elif n % 6 == 4:
        terms = (Terms(since=since, department=department, monthly_base_yen=base, shifts=True),)
    elif n % 6 == 5:
        raised = date(2026, chance.randrange(5, 12), chance.randrange(2, 28))
        terms = (
            Terms(since=since, department=department, monthly_base_yen=base),
            Terms(since=raised, department=DEPARTMENTS[(n + 1) % 3], monthly_base_yen=base + 8_800),
        )
    else:
        terms = (Terms(since=since, department=department, monthly_base_yen=base, tracked=n % 20 != 10),)
    left = date(2026, 10, 20) if n % 15 == 8 else None
    cards = [Held(f"{n:032x}", ms(FIRST) - 30 * DAY_MS, None)]
    if n % 4 == 1:
        lost_ms = ms(date(2026, 9, 1) + timedelta(days=n), 750)
        cards = [Held(f"{n:032x}", ms(FIRST) - 30 * DAY_MS, lost_ms), Held(f"{n + 0xA000:032x}", lost_ms, None)]
    return Someone(f"{n + 1:06}", terms, left, cards)


class _Life:
    """One person's days, one after the other."""

    def __init__(self, who: Someone, chance: random.Random, profile: Profile) -> None:
        self.who, self.chance, self.profile = who, chance, profile
        self.taken: set[date] = set()
        self.is_busy = who.number.endswith(("1", "7"))

    def live(self) -> None:
        days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
        if self.who.terms[0].shifts:
            shift = self.chance.randrange(len(CYCLE))
            around = [FIRST + timedelta(days=n) for n in range(-15, (LAST - FIRST).days + 16)]
            self.who.assigned = {day: CYCLE[(n + shift) % len(CYCLE)] for n, day in enumerate(around)}
        else:
            self._move(days)
        for day in days:
            terms = self.who.terms_on(day)
            if terms is not None and terms.tracked:
                self._day(day)

    def _move(self, days: list[date]) -> None:
        """Some Saturdays are worked, some holidays: for other days off."""
        for _ in range(3):
            saturday = self.chance.choice([day for day in days if day.weekday() == 5])
            off = saturday + timedelta(days=self.chance.choice((-3, -10, 4, 12)))
            self._pair(saturday, off, Swap(worked=saturday, off=off))
        holiday = self.chance.choice([day for day in days if day in HOLIDAYS and day.weekday() < 5])
        off = holiday + timedelta(days=14)
        self._pair(holiday, off, Substitute(worked=holiday, off=off))

    def _pair(self, worked: date, off: date, pair: Swap | Substitute) -> None:
        near = {day + timedelta(days=n) for day in (worked, off) for n in range(-2, 3)}
        if off.weekday() >= 5 or off in HOLIDAYS or near & self.taken or not FIRST <= off <= LAST:
            return
        if not self.who.terms_on(worked) or not self.who.terms_on(off):
            return
        self.taken |= {worked, off}
        if isinstance(pair, Swap):
            self.who.swaps.append(pair)
        else:
            self.who.substitutes.append(pair)

    def _hours(self, day: date) -> Hours | None:
        """The regular hours that they work on a day, after what was moved."""
        pairs: list[Swap | Substitute] = [*self.who.swaps, *self.who.substitutes]
        for pair in pairs:
            if pair.off == day:
                return None
            if pair.worked == day:
                terms = self.who.terms_on(pair.off)
                return terms.week[0] if terms and terms.week else TOWN_DAY
        if self.who.assigned:
            return self.who.assigned[day] if day not in HOLIDAYS else None
        if day in HOLIDAYS or day.weekday() >= 5:
            return None
        terms = self.who.terms_on(day)
        return terms.week[0] if terms and terms.week else TOWN_DAY

    def _day(self, day: date) -> None:
        hours = self._hours(day)
        if hours is None:
            if self.chance.random() < 0.04 and day not in self.taken and not self._after_a_night(day):
                self._called(day)
            return
        if self.chance.random() < 0.03 and day not in self.taken:
            self.who.leaves.append(Leave(day=day, kind="annual"))
            return
        begin, end = hours.begin, hours.end
        came, went = begin - self.chance.randrange(13), end + self.chance.randrange(16)
        if end <= 1035:
            came, went = self._ordered(day, begin, end, came, went)
        self._taps(day, came, went)

    def _after_a_night(self, day: date) -> bool:
        before = self.who.assigned.get(day - timedelta(days=1))
        return before is not None and before.end > 1440

    def _late_before(self, day: date) -> bool:
        """Whether an order of the evening before reached over midnight: nobody is called again in that night."""
        orders = (*self.who.orders, *self.who.refused)
        return any(order.span.end > first_minute(day) for order in orders)

    def _called(self, day: date) -> None:
        """Called on a day off: to a fair, to a pipe that burst."""
        begin, end = self.chance.choice(((540, 750), (480, 1080), (1200, 1400)))
        self._order(day, begin, end)
        self._taps(day, begin - self.chance.randrange(10), end + self.chance.randrange(10))

    def _ordered(self, day: date, begin: int, end: int, came: int, went: int) -> tuple[int, int]:
        dice = self.chance.random()
        if self.is_busy and day.month in (10, 12):
            # Elections and the year's end: past sixty hours.
            dice *= 0.3
        if day.month in (12, 1, 2) and dice > 0.95 and not self._late_before(day):
            early = self.chance.choice((120, 250, 330))
            self._order(day, early, begin)
            return early - self.chance.randrange(20), went
        if dice < 0.20:
            until = end + self.chance.choice((60, 75, 105, 150, 240, 247, 300))
        elif dice < 0.215:
            until = self.chance.choice((1440, 1500, 1570))
        elif dice < 0.218:
            until = 1720
        elif dice < 0.23:
            self.who.refused.append(Order(span=_span(day, end, end + 120)))
            return came, went
        else:
            return came, went
        self._order(day, end, until)
        return came, until + self.chance.randrange(-5, 12)

    def _order(self, day: date, begin: int, end: int) -> None:
        self.who.orders.append(Order(span=_span(day, begin, end)))

    def _taps(self, day: date, came: int, went: int) -> None:
        came_ms, went_ms = (ms(day, minute, self.chance.randrange(60)) for minute in (came, went))
        dice = self.chance.random()
        if dice < 0.02:
            # Forgotten: the clerk enters it, the chief approves it.  A lone tap at an odd hour reads as the other end,
            # so that both are entered.
            in_ms, out_ms = (moment - moment % MINUTE_MS for moment in (came_ms, went_ms))
            forgot_out = self.chance.random() < 0.5
            night = went > DAY_LINE_MIN or came >= CLOCK_OUT_FROM_MIN or went < CLOCK_OUT_FROM_MIN
            self.who.corrections.append(
                Correction(
                    day=day,
                    in_ms=in_ms if night or not forgot_out else None,
                    out_ms=out_ms if night or forgot_out else None,
                )
            )
            self._tap(came_ms if forgot_out else went_ms)
            return
        self._tap(came_ms)
        if went - came > 700 and went < 1600 and dice > 0.4:
            # Out at the town hall at the usual time; what came after that ends in the depot.
            self._tap(ms(day, 1036, self.chance.randrange(60)))
            self._tap(went_ms, DEPOT)
        else:
            self._tap(went_ms, chosen="clock_out" if dice > 0.93 else "")

    def _tap(self, at_ms: int, terminal: int | None = None, chosen: Literal["clock_out", ""] = "") -> None:
        where = self.chance.randrange(TERMINALS - 1) if terminal is None else terminal
        self.who.taps.append(TrueTap(at_ms, where, self.who.card_at(at_ms), chosen))
        if self.chance.random() < 0.06:
            later = at_ms + self.chance.choice((900, 2_400, 4_999, 5_000))
            other = where if terminal is not None else self.chance.randrange(TERMINALS - 1)
            self.who.taps.append(TrueTap(later, other, self.who.card_at(later), chosen))


def _span(day: date, begin: int, end: int) -> Span:
    return Span(first_minute(day) + begin, first_minute(day) + end)
