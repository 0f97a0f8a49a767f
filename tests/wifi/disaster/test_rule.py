"""The disaster switch's rule on the access point: its table of states, its clocks, the opening hours."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import Stamp
from edge_agent.effective import Effective
from edge_agent.wifi import disaster
from edge_agent.wifi.disaster import DISASTER_NETWORK, Asked, Kept, Running
from tests.clock.hand_time import MORNING_MS
from wire.messages import ClockQuality
from wire.policy import Opening

MINUTE_MS = 60_000
DAY_MS = 86_400_000
NOW = Stamp("boot-1", 60_000, MORNING_MS, "synced")
TOWN = Effective(network_name="Town")
_DAY = ["08:30-17:15"]
WEEK = Opening(monday=_DAY, tuesday=_DAY, wednesday=_DAY, thursday=_DAY, friday=_DAY)


def _began(kept: Kept, run: str, *, drill: bool = False, minutes: int = 60, now: Stamp = NOW) -> Any:
    return disaster.begun(kept, Asked(run, minutes, drill=drill), now)


def _is(kept: Kept) -> tuple[str, bool] | None:
    return (kept.running.run, kept.running.drill) if kept.running else None


@pytest.mark.parametrize("drill", [True, False])
@pytest.mark.parametrize("before", [None, ("r", True), ("q", True), ("r", False), ("q", False)])
def test_the_table_of_beginnings(before: tuple[str, bool] | None, drill: bool) -> None:
    kept = Kept() if before is None else _began(Kept(), before[0], drill=before[1])
    new = _began(kept, "r", drill=drill)
    if before is not None and not before[1] and drill:
        assert new == "disaster_runs"
    elif before == ("r", drill):
        assert new is kept
    else:
        assert _is(new) == ("r", drill)
        assert ("q" in new.over) == (before is not None and before[0] == "q")


Step = tuple[Literal["begin", "drill", "end"], str]
steps = st.lists(st.tuples(st.sampled_from(["begin", "drill", "end"]), st.sampled_from("pqr")), max_size=12)


@given(steps)
def test_what_ended_never_begins_again_and_a_disaster_never_gives_way_to_a_drill(told: list[Step]) -> None:
    kept, over = Kept(), set()
    for what, run in told:
        was = _is(kept)
        if what == "end":
            kept = disaster.ended(kept, run)
            over.add(run)
            assert _is(kept) == (None if was and was[0] == run else was)
            continue
        new = _began(kept, run, drill=what == "drill")
        if run in over:
            assert new == "used_before"
        elif was is not None and not was[1] and what == "drill":
            assert new == "disaster_runs"
        else:
            assert isinstance(new, Kept)
            assert _is(new) == (run, what == "drill")
            over |= {was[0]} if was is not None and was[0] != run else set()
            kept = new
    assert not over & ({kept.running.run} if kept.running else set())


@given(st.lists(st.tuples(st.integers(0, 3 * 3_600_000), st.integers(-2 * DAY_MS, 2 * DAY_MS)), max_size=20))
def test_in_one_boot_no_wall_clock_changes_when_it_ends(moves: list[tuple[int, int]]) -> None:
    running = _began(Kept(), "r", minutes=600).running
    passed_ms = 0
    for mono_ms, wall_ms in moves:
        passed_ms += mono_ms
        now = Stamp("boot-1", NOW.mono_ms + passed_ms, MORNING_MS + wall_ms, "synced")
        running = disaster.counted(running, now)
        assert running.left_ms == 600 * MINUTE_MS - passed_ms


_clocks: st.SearchStrategy[ClockQuality] = st.sampled_from(["synced", "held", "unset"])
_cuts = st.lists(
    st.tuples(st.integers(1, 3_600_000), st.integers(0, DAY_MS), st.integers(-DAY_MS, DAY_MS), _clocks), max_size=15
)


@given(_cuts)
def test_power_cuts_and_clocks_never_give_time_and_it_always_ends(
    cuts: list[tuple[int, int, int, ClockQuality]],
) -> None:
    running = _began(Kept(), "r", minutes=600).running
    true_ms = MORNING_MS
    for number, (up_ms, off_ms, wrong_ms, clock) in enumerate(cuts):
        before_ms, true_ms = running.left_ms, true_ms + off_ms + up_ms
        wall_ms = true_ms if clock == "synced" else true_ms + wrong_ms
        running = disaster.counted(running, Stamp(f"boot-{number + 2}", up_ms, wall_ms, clock))
        assert running.left_ms <= before_ms - up_ms
        if clock == "synced":
            # Somebody knows what time it is: it ends when it should have.
            assert running.left_ms <= MORNING_MS + 600 * MINUTE_MS - true_ms


def test_a_board_without_battery_that_learns_the_time_late_ends_on_time_all_the_same() -> None:
    running = _began(Kept(), "r", minutes=24 * 60).running
    dark = Stamp("boot-2", 20_000, 5_000, "unset")
    running = disaster.counted(running, dark)
    assert running.left_ms == DAY_MS - 20_000
    assert running.ends_ms == 0
    running = disaster.counted(running, Stamp("boot-2", 50_000, MORNING_MS + 6 * 3_600_000, "synced"))
    assert running.left_ms == 18 * 3_600_000
    assert running.ends_ms == MORNING_MS + DAY_MS


def test_begun_without_a_clock_it_lasts_its_minutes_from_then_on() -> None:
    running = _began(Kept(), "r", minutes=60, now=Stamp("boot-1", 1_000, 0, "unset")).running
    running = disaster.counted(running, Stamp("boot-1", 61_000, MORNING_MS, "synced"))
    assert running.left_ms == 59 * MINUTE_MS
    assert running.sure_ms == MORNING_MS + 59 * MINUTE_MS


def test_who_hears_late_ends_with_the_others_and_who_hears_too_late_does_not_begin() -> None:
    late = disaster.begun(Kept(), Asked("r", 600, until_ms=MORNING_MS + 5 * MINUTE_MS), NOW)
    assert isinstance(late, Kept)
    assert late.running is not None
    assert late.running.left_ms == 5 * MINUTE_MS
    assert disaster.begun(Kept(), Asked("r", 600, until_ms=MORNING_MS), NOW) == "too_late"
    dark = Stamp("boot-1", 0, 0, "unset")
    found = disaster.begun(Kept(), Asked("r", 600, until_ms=MORNING_MS), dark)
    assert isinstance(found, Kept)


# ---- the mode


def _at(day: int, hour: int, minute: int, clock: Any = "synced") -> Stamp:
    there = datetime(2026, 11, day, hour, minute, tzinfo=UTC) - timedelta(hours=9)
    return Stamp("boot-1", 0, int(there.timestamp() * 1000), clock)


HOURS = Effective(network_name="Town", opening_follows=True, opening=WEEK)


@pytest.mark.parametrize(
    ("now", "name"),
    [
        (_at(24, 8, 29), "closed"),
        (_at(24, 8, 30), "normal"),
        (_at(24, 17, 14), "normal"),
        (_at(24, 17, 15), "closed"),
        (_at(28, 12, 0), "closed"),
        (_at(28, 12, 0, "unset"), "normal"),
        (_at(28, 12, 0, "held"), "closed"),
    ],
)
def test_guests_get_on_while_the_house_is_open(now: Stamp, name: str) -> None:
    found = disaster.mode(HOURS, None, now, receives=True)
    assert (found.name, found.on_air, found.network_name) == (name, name, "Town")


def test_holidays_and_closed_days_close_it() -> None:
    opening = Opening(monday=["08:30-17:15"], tuesday=["08:30-17:15"], holidays=["2026-11-24"])
    policy = Effective(network_name="Town", opening_follows=True, opening=opening)
    assert disaster.mode(policy, None, _at(24, 12, 0), receives=True).name == "closed"
    open_then = Opening(tuesday=[], open_days=["2026-11-24"], open_days_hours=["10:00-15:00"])
    policy = Effective(network_name="Town", opening_follows=True, opening=open_then)
    assert disaster.mode(policy, None, _at(24, 12, 0), receives=True).name == "normal"
    assert disaster.mode(policy, None, _at(24, 15, 0), receives=True).name == "closed"


def test_hours_that_nobody_said_close_nothing() -> None:
    policy = Effective(network_name="Town", opening_follows=True)
    assert disaster.mode(policy, None, _at(28, 3, 0), receives=True).name == "normal"


def test_off_is_what_has_no_network_for_guests() -> None:
    assert disaster.mode(TOWN, None, NOW, receives=False).name == "off"
    assert disaster.mode(Effective(), None, NOW, receives=True).guests == "closed"


def _running(*, drill: bool) -> Running:
    kept = _began(Kept(), "r", drill=drill)
    assert kept.running is not None
    return kept.running  # type: ignore[no-any-return]


def test_a_disaster_opens_a_closed_house_and_a_drill_does_not() -> None:
    night = _at(24, 22, 0)
    real = disaster.mode(HOURS, _running(drill=False), night, receives=True)
    assert (real.name, real.on_air, real.guests, real.network_name) == (
        "disaster",
        "disaster",
        "open",
        DISASTER_NETWORK,
    )
    drill = disaster.mode(HOURS, _running(drill=True), night, receives=True)
    assert (drill.name, drill.on_air, drill.guests, drill.run) == ("drill", "closed", "closed", "r")
    by_day = disaster.mode(HOURS, _running(drill=True), _at(24, 12, 0), receives=True)
    assert (by_day.name, by_day.on_air, by_day.guests) == ("drill", "normal", "captive")
    # Without a network of its own it still has one in a disaster.
    assert disaster.mode(Effective(), _running(drill=False), night, receives=True).guests == "open"
