"""The rules of a punch, against a table and against a slow reading of the same sentences."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.attendance import punch
from edge_agent.attendance.punch import Last, LastPunches, Policy, Tap
from edge_agent.clock import Stamp
from wire.messages import Direction, Punch, Standing

_MIN_MS = 60_000
_JAPAN = timezone(timedelta(hours=9))
_NOON = Policy(clock_out_from_min=720, debounce_s=120)
CARD, OTHER, THIRD = "a" * 32, "b" * 32, "c" * 32


def at(text: str) -> int:
    """UTC milliseconds of a time in Japan."""
    return int(datetime.fromisoformat(text).replace(tzinfo=_JAPAN).timestamp() * 1000)


def stamp(text: str, boot: str = "boot-1") -> Stamp:
    """A stamp whose boot began in 2026, so that monotonic and wall clock go together."""
    return Stamp(boot, at(text) - at("2026-01-01"), at(text), "synced")


def tap(when: Stamp, choice: Direction | None = None, *, known: bool = True) -> Tap:
    """CARD on the reader."""
    return Tap(CARD, "felica", when, choice, known)


# ---- the clock's suggestion


@pytest.mark.parametrize(
    ("time", "suggested"),
    [
        ("00:00", "clock_out"),
        ("02:59:59.999", "clock_out"),
        ("03:00", "clock_in"),
        ("08:24", "clock_in"),
        ("11:59:59.999", "clock_in"),
        ("12:00", "clock_out"),
        ("23:59:59.999", "clock_out"),
    ],
)
def test_the_clock_suggests_a_direction(time: str, suggested: Direction) -> None:
    assert punch.direction_by_time(at(f"2026-11-24T{time}"), _NOON) == suggested


def test_minutes_of_a_setting() -> None:
    assert [punch.parse_minutes(text) for text in ("00:00", "12:00", "23:59")] == [0, 720, 1439]


# ---- the table of states

_IN_8, _OUT_8 = Last("clock_in", stamp("2026-11-24T08:24")), Last("clock_out", stamp("2026-11-24T08:24"))
_IN_NOON = Last("clock_in", stamp("2026-11-24T11:59"))


@pytest.mark.parametrize(
    ("last", "when", "choice", "asked", "expected"),
    [
        # The first tap of a card is taken, whichever way.
        (None, "2026-11-24T08:24", None, False, ("clock_in", "accepted")),
        (None, "2026-11-24T17:20", None, False, ("clock_out", "accepted")),
        (None, "2026-11-24T08:24", "clock_out", False, ("clock_out", "accepted")),
        # The same again within 120 s is said as taken, and after that is asked about or taken.
        (_IN_8, "2026-11-24T08:24", None, False, ("clock_in", "repeat")),
        (_IN_8, "2026-11-24T08:25:59.999", None, False, ("clock_in", "repeat")),
        (_IN_8, "2026-11-24T08:26", None, False, ("clock_in", "unsure")),
        (_IN_8, "2026-11-24T08:26", None, True, ("clock_in", "repeat")),
        # The other way is taken at once, when a person says so.
        (_IN_8, "2026-11-24T08:25", "clock_out", False, ("clock_out", "accepted")),
        (_OUT_8, "2026-11-24T08:25", "clock_in", False, ("clock_in", "accepted")),
        (_OUT_8, "2026-11-24T08:25", None, False, ("clock_out", "repeat")),
        # A second touch while noon goes by is no clocking out.
        (_IN_NOON, "2026-11-24T12:00:30", None, False, ("clock_in", "repeat")),
        (_IN_NOON, "2026-11-24T12:01", None, False, ("clock_out", "accepted")),
        (_IN_NOON, "2026-11-24T12:00:30", "clock_out", False, ("clock_out", "accepted")),
        # A duty day ends at 03:00.
        (_IN_8, "2026-11-25T02:59:59.999", "clock_in", False, ("clock_in", "unsure")),
        (_IN_8, "2026-11-25T03:00", None, False, ("clock_in", "accepted")),
        # Clocking out twice is possible: the later one is meant.
        (_OUT_8, "2026-11-24T17:20", None, False, ("clock_out", "accepted")),
        # `asked` changes nothing else.
        (_IN_8, "2026-11-24T17:20", None, True, ("clock_out", "accepted")),
    ],
)
def test_state_table(
    last: Last | None, when: str, choice: Direction | None, asked: bool, expected: tuple[str, str]
) -> None:
    body = punch.decide(tap(stamp(when), choice), last, _NOON, asked=asked)
    assert (body.direction, body.standing) == expected
    assert body.chosen == ("person" if choice else "time")
    assert (body.card, body.technology, body.answers) == (CARD, "felica", None)


def test_a_card_that_nobody_knows_is_kept_as_unknown() -> None:
    for last in (None, _IN_8):
        body = punch.decide(tap(stamp("2026-11-24T08:25"), known=False), last, _NOON)
        assert (body.direction, body.standing) == ("clock_in", "unknown")


def test_an_answer_names_what_it_settles() -> None:
    asked = punch.decide(tap(stamp("2026-11-24T09:00")), _IN_8, _NOON)
    for direction in ("clock_in", "clock_out"):
        settled = punch.answer(asked, 41, direction)
        assert settled == Punch(CARD, direction, "accepted", "person", "felica", answers=41)


# ---- clocks that were set


def test_within_one_boot_a_clock_that_was_set_changes_nothing() -> None:
    # Clocked in before the network came: the wall clock stood in 1970.
    last = Last("clock_in", Stamp("boot-1", 60_000, 60_000, "unset"))
    soon = Stamp("boot-1", 90_000, at("2026-11-24T08:24"), "synced")
    late = Stamp("boot-1", 60_000 + 3600_000, at("2026-11-24T09:24"), "synced")
    assert punch.decide(tap(soon), last, _NOON).standing == "repeat"
    assert punch.decide(tap(late), last, _NOON).standing == "unsure"


def test_in_another_boot_only_the_wall_clock_is_left() -> None:
    after_reboot = Stamp("boot-2", 5_000, at("2026-11-24T08:25"), "held")
    assert punch.decide(tap(after_reboot), _IN_8, _NOON).standing == "repeat"
    lost_its_clock = Stamp("boot-2", 5_000, 5_000, "unset")
    assert punch.decide(tap(lost_its_clock), _IN_8, _NOON).standing == "accepted"


# ---- a slow reading of the rules


@dataclass
class Slow:
    """Every tap ever, and the rules read off them one by one."""

    policy: Policy
    taps: list[tuple[Tap, Punch]] = field(default_factory=list)

    def judge(self, one: Tap, *, asked: bool) -> tuple[Direction, Standing]:
        """Direction and standing of a tap, from all taps before it."""
        suggested = one.choice or self._suggested(one.stamp.at_ms)
        if not one.known:
            return suggested, "unknown"
        before = [(t, p) for t, p in self.taps if p.card == one.card and p.standing == "accepted"]
        if not before:
            return suggested, "accepted"
        earlier, said = before[-1]
        ago = self._ago(earlier.stamp, one.stamp)
        close = timedelta(0) <= ago < timedelta(seconds=self.policy.debounce_s)
        if close and one.choice in (None, said.direction):
            return said.direction, "repeat"
        if suggested == "clock_in" and said.direction == "clock_in":
            now = _moment(one.stamp.at_ms)
            if _duty_date(now - ago) == _duty_date(now):
                return "clock_in", "repeat" if asked else "unsure"
        return suggested, "accepted"

    def _suggested(self, at_ms: int) -> Direction:
        local = _moment(at_ms)
        noon = (local.hour, local.minute) >= divmod(self.policy.clock_out_from_min, 60)
        return "clock_out" if noon or local.hour < 3 else "clock_in"

    def _ago(self, earlier: Stamp, later: Stamp) -> timedelta:
        if earlier.boot == later.boot:
            return timedelta(milliseconds=later.mono_ms - earlier.mono_ms)
        return _moment(later.at_ms) - _moment(earlier.at_ms)


def _moment(at_ms: int) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(_JAPAN)


def _duty_date(moment: datetime) -> date:
    return (moment - timedelta(hours=3)).date()


@st.composite
def _stamps(draw: st.DrawFn) -> list[Stamp]:
    """Moments in the order they happen: time goes by, machines start anew, and wall clocks are set to anything."""
    boot, mono_ms, wall_ms = 1, 1_000, at("2026-11-24T07:00")
    stamps = []
    gaps = st.sampled_from([0, 1, 1_499, 59_999, 60_000, 119_999, 120_000, 5 * _MIN_MS, 4 * 60 * _MIN_MS])
    for _ in range(draw(st.integers(1, 25))):
        gap_ms = draw(gaps | st.integers(0, 26 * 60 * _MIN_MS))
        mono_ms, wall_ms = mono_ms + gap_ms, wall_ms + gap_ms
        event = draw(st.sampled_from(["none"] * 6 + ["boot", "boot in 1970", "set"]))
        if event.startswith("boot"):
            boot, mono_ms = boot + 1, 1_000
            wall_ms = 1_000 if event == "boot in 1970" else wall_ms
        elif event == "set":
            wall_ms = draw(st.integers(0, at("2030-01-01")))
        stamps.append(Stamp(f"boot-{boot}", mono_ms, wall_ms, "held"))
    return stamps


@given(data=st.data(), noon_min=st.integers(0, 1439), debounce_s=st.sampled_from([0, 1, 120, 3600]))
@settings(max_examples=300, deadline=None)
def test_rules_against_a_slow_reading(data: st.DataObject, noon_min: int, debounce_s: int) -> None:
    policy = Policy(noon_min, debounce_s)
    slow, last = Slow(policy), LastPunches()
    for when in data.draw(_stamps()):
        one = Tap(
            data.draw(st.sampled_from([CARD, OTHER])),
            "felica",
            when,
            data.draw(st.sampled_from([None, None, "clock_in", "clock_out"])),
            data.draw(st.sampled_from([True, True, True, False])),
        )
        asked = data.draw(st.booleans())
        expected = slow.judge(one, asked=asked)
        body = punch.decide(one, last.of(one.card), policy, asked=asked)
        assert (body.direction, body.standing) == expected
        slow.taps.append((one, body))
        last.take(body, when)
        if body.standing == "unsure" and data.draw(st.booleans()):
            settled = punch.answer(body, len(slow.taps), data.draw(st.sampled_from(["clock_in", "clock_out"])))
            slow.taps.append((one, settled))
            last.take(settled, when)


@given(
    st.lists(
        st.tuples(
            st.sampled_from([CARD, OTHER, THIRD]),
            st.sampled_from(["clock_in", "clock_out"]),
            st.sampled_from(["accepted", "repeat", "unknown", "unsure"]),
        )
    )
)
def test_the_last_of_a_card_is_the_last_accepted(punches: list[tuple[str, Direction, Standing]]) -> None:
    last = LastPunches()
    for number, (card, direction, standing) in enumerate(punches):
        last.take(Punch(card, direction, standing), Stamp("boot-1", number, number, "synced"))
    for card in (CARD, OTHER, THIRD):
        accepted = [(n, d) for n, (c, d, s) in enumerate(punches) if c == card and s == "accepted"]
        found = last.of(card)
        assert (found and (found.stamp.mono_ms, found.direction)) == (accepted[-1] if accepted else None)


def test_the_longest_unseen_cards_are_forgotten_first() -> None:
    last = LastPunches()
    for number in range(2000):
        last.take(Punch(f"{number:032x}", "clock_in"), stamp("2026-11-24T08:24"))
    last.take(Punch(f"{0:032x}", "clock_out"), stamp("2026-11-24T17:24"))
    last.take(Punch(f"{2000:032x}", "clock_in"), stamp("2026-11-24T17:25"))
    assert last.of(f"{0:032x}") is not None
    assert last.of(f"{1:032x}") is None
    assert last.of(f"{2000:032x}") is not None
