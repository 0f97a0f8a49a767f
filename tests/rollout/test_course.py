"""The rule of roll-outs, case by case."""

import pytest
from msgspec.structs import replace

from hub.rollout.course import Still
from hub.rollout.heard import Report
from hub.rollout.plan import CLOCKING, DAY_MS, Group, Plan
from hub.rollout.quiet import MINUTE_MS, Quiet
from hub.rollout.state import (
    Begin,
    Move,
    Restore,
    Turn,
)
from tests.rollout.world import NEW, OLD, World, at, member, running, small

SOAK_MS = 10 * MINUTE_MS


def test_twelve_devices_two_away_and_one_of_three_breaks() -> None:
    """Acceptance of part 7, with the rule alone: it stops in the first group; resume and skip go on."""
    world = small(3, 4, 5)
    world.leaves(6)
    world.leaves(11)
    assert world.do("approve", "hanako") == "own"
    assert world.look() == []
    assert world.do("approve", "taro") is None
    world.look()
    assert world.released() == [1, 2, 3]
    world.tells(2, "rolled_back")
    world.follows(1, 3)
    assert world.status() == "stopped"
    assert world.states()[2] == "failed"
    assert world.heard[2].ordered is not None
    assert world.heard[2].ordered.content == OLD
    # However long one waits, nothing more goes out.
    world.later(600)
    assert world.released() == [1, 2, 3]
    world.follows(2)
    assert world.states()[2] == "rolled_back"
    assert world.do("skip_device", device=7) is None
    assert world.do("resume") is None
    world.look()
    assert world.released() == [1, 2, 3, 4, 5]
    assert world.states()[6] == "skipped"
    world.follows(4, 5)
    world.later(10)
    assert world.released()[5:] == [8, 9, 10]
    world.follows(8, 9, 10)
    world.follows(12)
    world.later(10)
    assert world.last.still == Still("late", world.now_ms + 7 * DAY_MS, ("terminal-06", "terminal-11"))
    world.comes(6)
    world.look()
    assert world.released()[-1] == 6
    world.follows(6)
    world.later(7 * 24 * 60)
    assert world.status() == "done"
    assert world.states() == {
        **dict.fromkeys((1, 3, 4, 5, 6, 8, 9, 10, 12), "succeeded"),
        2: "rolled_back",
        7: "skipped",
        11: "skipped",
    }


# ---- what counts as a success


def test_only_health_after_the_report_makes_a_success() -> None:
    world = running(1, 1)
    world.tells(1)
    assert world.look() == [Move(1, "seen")]
    world.lives(1)
    assert world.look() == [], "health of the same moment may have been sent before"
    world.now_ms += 1
    world.lives(1)
    assert world.look()[0] == Move(1, "succeeded")


@pytest.mark.parametrize(
    "other", [{"incarnation": "b"}, {"applied": 1}, {"pure": False}, {"seen": 1, "applied": 1, "digest": "old-1"}]
)
def test_a_report_of_something_else_is_no_success(other: dict[str, object]) -> None:
    world = running(1, 1)
    world.report(1, replace(Report("a", 2, 2, "applied", "", "new-2", True, world.now_ms), **other))
    world.later(1)
    world.lives(1)
    world.look()
    assert world.states()[1] in ("released", "seen")
    world.later(30)
    assert world.states()[1] == "failed_timeout"
    assert world.status() == "stopped"


@pytest.mark.parametrize("result", ["failed", "rolled_back", "refused"])
def test_a_device_says_that_it_failed(result: str) -> None:
    world = running(1, 1)
    world.tells(1, result)  # type: ignore[arg-type]
    assert world.look() == [Move(1, "failed", result, "why", fault=True), Restore(1), Turn("stopped")]  # type: ignore[arg-type]


def test_another_digest_is_a_failure() -> None:
    world = running(1, 1)
    world.tells(1, digest="something else")
    assert world.look()[0] == Move(1, "failed", "digest", "something else", fault=True)


def test_a_refusal_of_what_was_before_is_none_of_now() -> None:
    world = small(1)
    world.tells(1, "refused")
    world.do("approve", "taro")
    world.look()
    assert world.states()[1] == "released"
    # What was never seen as that generation (a broken signature) is refused after it was ordered.
    world.now_ms += 1
    world.report(1, Report("a", 1, 1, "refused", "signature", "", True, world.now_ms))
    world.look()
    assert world.course.members[1].detail == "signature"


def test_a_device_that_knows_more_than_the_hub_has_not_failed() -> None:
    world = running(1)
    world.now_ms += 1
    world.report(1, Report("a", 9, 9, "refused", "older", "", True, world.now_ms))
    assert world.look() == []
    world.order(1, NEW)
    world.follows(1)
    assert world.states()[1] == "succeeded"


def test_the_same_settings_published_anew_are_still_ours() -> None:
    """A hub that was put back begins a new incarnation; a calendar is published again."""
    world = running(1)
    world.order(1, NEW)
    world.follows(1)
    assert world.states()[1] == "succeeded"


def test_a_device_that_goes_back_later_stops_it_after_all() -> None:
    world = running(1, 1)
    world.follows(1)
    world.later(5)
    world.tells(1, "rolled_back")
    world.look()
    assert (world.states()[1], world.status()) == ("failed", "stopped")
    assert world.released() == [1]


# ---- deadlines, away, closed hours


def test_a_device_that_never_answers_has_failed_at_its_deadline_and_gets_its_old_settings() -> None:
    world = running(1, 1)
    world.leaves(1)
    assert world.last.look_ms == world.now_ms + 30 * MINUTE_MS
    assert world.later(29.99) == []
    assert world.later(0.01) == [Move(1, "failed_timeout", "deadline", fault=True), Restore(1), Turn("stopped")]
    world.comes(1)
    world.follows(1)
    assert (world.states()[1], world.course.members[1].why) == ("rolled_back", "deadline")


def test_who_is_away_only_for_a_moment_is_not_skipped() -> None:
    world = small(1, grace_ms=MINUTE_MS)
    world.leaves(1)
    world.do("approve", "taro")
    world.look()
    assert world.last.still == Still("away", world.now_ms + MINUTE_MS, ("terminal-01",))
    world.comes(1)
    world.look()
    assert world.released() == [1]


def test_waiting_for_who_is_away_ends() -> None:
    world = small(2, 1, offline="wait")
    world.leaves(1)
    world.do("approve", "taro")
    world.look()
    assert world.released() == [2]
    world.follows(2)
    world.later(23 * 60)
    assert world.last.still == Still("away", at(25, 10) + DAY_MS, ("terminal-01",))
    world.later(60)
    assert (world.states()[1], world.status()) == ("failed_timeout", "stopped")
    assert world.released() == [2]
    world.comes(1)
    assert world.do("retry_device", device=1) is None
    assert world.do("resume") is None
    world.look()
    assert world.released() == [2, 1]


def test_one_failure_too_many_holds_up_the_others_of_the_same_moment() -> None:
    """Found by the oracle: one gives up waiting in the very moment in which another could have been released."""
    world = small(2, offline="wait", wait_ms=0)
    world.leaves(1)
    world.do("approve", "taro")
    world.look()
    assert (world.status(), world.released()) == ("stopped", [])


def test_a_device_on_hold_is_away_though_it_is_there() -> None:
    world = small(1, 1)
    world.heard[1] = replace(world.heard[1], on_hold=True)
    world.do("approve", "taro")
    world.look()
    assert world.course.members[1].why == "on_hold"
    assert world.released() == [2]
    world.follows(2)
    world.later(10)
    world.heard[1] = replace(world.heard[1], on_hold=False)
    world.look()
    assert world.released() == [2, 1]


def test_nothing_goes_to_terminals_while_people_clock_in() -> None:
    plan = Plan((Group("all", 0, 9),), quiet=CLOCKING, grace_ms=0)
    world = World(plan, [member(1), member(2, kind="tablet")], at(25, 7, 55))
    world.leaves(1)
    world.do("approve", "taro")
    world.look()
    # A tablet has no such hours; and a terminal that is away now may be there at nine.
    assert world.released() == [2]
    world.follows(2)
    assert world.last.still == Still("window", at(25, 9), ("terminal-01",))
    assert world.last.look_ms == at(25, 9)
    world.comes(1)
    assert world.later(64.9) == []
    world.later(0.1)
    assert world.released() == [2, 1]


def test_nothing_goes_on_a_day_off() -> None:
    world = World(Plan((Group("all"),), quiet=CLOCKING), [member(1)], at(20, 18, 30))
    world.do("approve", "taro")
    world.look()
    assert world.released() == [1]
    world = World(Plan((Group("all"),), quiet=CLOCKING), [member(1)], at(21, 10))
    world.do("approve", "taro")
    world.look()
    # Saturday, Sunday and the Monday of 23 November, Labour Thanksgiving Day.
    assert world.last.still == Still("day_off", at(24, 0), ("terminal-01",))


# ---- order, parallelism, neighbours


def test_a_group_begins_when_the_last_has_soaked() -> None:
    world = running(2, 1)
    world.follows(1)
    assert world.later(60) == [Move(2, "failed_timeout", "deadline", fault=True), Restore(2), Turn("stopped")]
    world.do("resume")
    world.look()
    assert world.last.still == Still("soak", world.now_ms + SOAK_MS)
    world.later(9.9)
    assert 3 not in world.released()
    assert Begin(1) in world.later(0.1)
    assert 3 in world.released()


def test_a_group_of_which_all_were_away_need_not_soak() -> None:
    world = small(1, 1)
    world.leaves(1)
    world.do("approve", "taro")
    world.look()
    assert world.released() == [2]


def test_so_many_at_once_and_no_neighbours() -> None:
    plan = Plan((Group("points", 0, 3, apart=True),), quiet=Quiet())
    points = [
        member(n, kind="access_point", place=place) for n, place in enumerate(("hall", "hall", "", "", "school"), 1)
    ]
    world = World(plan, points)
    world.do("approve", "taro")
    world.look()
    # Two of the hall are neighbours; so may be two of which nobody knows the place.
    assert world.released() == [1, 3, 5]
    world.follows(5)
    assert world.released() == [1, 3, 5]
    assert world.last.still == Still("working", None, ("access_point-01", "access_point-03"))
    world.follows(1)
    assert world.released() == [1, 3, 5, 2]


def test_failures_are_counted_and_what_is_under_way_is_the_most_that_may_be_added() -> None:
    world = running(6, at_once=2, max_failures=1)
    world.tells(1, "failed")
    world.look()
    assert world.released() == [1, 2, 3], "one failure is allowed"
    world.tells(2, "failed")
    world.look()
    assert world.status() == "stopped"
    world.tells(3, "failed")
    world.look()
    assert sum(one.faulty for one in world.course.members.values()) == 3  # max_failures + at_once
    assert world.released() == [1, 2, 3]
    world.do("resume")
    world.look()
    assert world.released() == [1, 2, 3, 4, 5], "what failed before the resumption counts no more"


def test_settings_that_somebody_else_ordered_are_left_alone() -> None:
    world = running(3, at_once=1)
    world.order(1, "other")
    world.order(2, "other")
    world.look()
    assert [world.course.members[id_].why for id_ in (1, 2)] == ["changed", "changed"]
    assert world.released() == [1, 3]
    world.follows(3)
    assert world.do("take_back") is None
    world.look()
    assert [step.device for step in world.log if isinstance(step, Restore)] == [3]
    assert world.do("retry_device", device=1) == "status"


def test_no_other_devices_settings_are_put_back_when_a_device_fails() -> None:
    world = running(1, max_failures=1)
    world.tells(1, "failed")
    world.look()
    world.order(1, "other")
    world.later(1)
    world.look()
    assert world.states()[1] == "failed"
    world.later(10)
    assert world.status() == "done", "nothing is awaited of it"
