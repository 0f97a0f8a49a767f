"""What people do to a roll-out, and the tables of states and acts."""

import pytest
from msgspec.structs import replace

from hub.rollout.acts import RULES, Act, Asked, act
from hub.rollout.course import Still
from hub.rollout.quiet import Quiet, Window
from hub.rollout.state import (
    ACTIVE,
    ENDS,
    NEXT,
    OPEN,
    Impossible,
    Move,
    Release,
    Restore,
    Status,
    after,
)
from tests.rollout.world import at, running, small


def test_the_table_of_states_is_closed() -> None:
    assert {state for following in NEXT.values() for state in following} == set(NEXT)
    assert set(RULES) == set(Act.__args__)  # type: ignore[attr-defined]
    assert ACTIVE < OPEN < set(Status.__args__)  # type: ignore[attr-defined]
    assert all(state in ENDS or following - {state} for state, following in NEXT.items())


@pytest.mark.parametrize("what", sorted(RULES))
def test_an_act_has_its_time(what: Act) -> None:
    for status in Status.__args__:  # type: ignore[attr-defined]
        world = small(1)
        world.course = replace(world.course, status=status)
        found = act(world.course, "hanako", Asked(what, "taro", 1, 0))
        assert (found == "status") == (status not in RULES[what].when), status


def test_what_is_not_in_the_table_is_impossible() -> None:
    world = small(1)
    with pytest.raises(Impossible, match="waiting is not followed by succeeded"):
        after(world.course, [Move(1, "succeeded")], 0)
    with pytest.raises(Impossible):
        after(replace(world.course, members={1: replace(world.course.members[1], state="succeeded")}), [Release(1)], 0,
              {1: world.heard[1].ordered})  # type: ignore[dict-item]  # fmt: skip


def test_declined_and_withdrawn_end_at_once() -> None:
    for what, status in (("decline", "declined"), ("abort", "aborted")):
        world = small(2)
        assert world.do(what, "taro") is None  # type: ignore[arg-type]
        assert world.look() == []
        assert world.status() == status
        assert set(world.states().values()) == {"skipped"}


def test_paused_it_takes_in_but_releases_nothing() -> None:
    world = running(2, 1, at_once=1)
    assert world.do("pause") is None
    world.follows(1)
    world.later(100)
    assert (world.states()[1], world.released()) == ("succeeded", [1])
    assert world.last.still is None
    world.do("resume")
    world.look()
    assert world.released() == [1, 2]


def test_a_device_goes_twice_only_when_a_person_says_so() -> None:
    world = running(1, 1, 1)
    world.tells(1, "failed")
    world.look()
    assert world.do("skip_device", device=1) == "device"
    assert world.do("retry_device", device=9) == "device"
    assert world.do("retry_device", device=3) == "device"
    assert world.do("retry_device", device=1) is None
    assert world.do("resume") is None
    world.look()
    assert world.released() == [1, 1]
    world.tells(1, "failed")
    world.look()
    world.do("resume")
    world.later(10)
    world.follows(2)
    # Its group is over: it comes at the end.
    assert world.do("retry_device", device=1) is None
    world.later(10)
    world.follows(3)
    assert world.released() == [1, 1, 2, 3]
    world.later(10)
    assert world.released() == [1, 1, 2, 3, 1]
    world.follows(1)
    assert world.status() == "done"


def test_one_who_is_sent_once_more_and_does_not_come_is_skipped_at_the_end() -> None:
    world = running(1, 1)
    world.follows(1)
    world.later(10)
    world.tells(2, "failed")
    world.look()
    world.leaves(2)
    world.course = replace(world.course, stage=2)
    world.do("retry_device", device=2)
    world.do("resume")
    world.look()
    assert world.last.still is not None
    assert world.last.still.why == "late"
    world.later(7 * 24 * 60)
    assert (world.states()[2], world.status()) == ("skipped", "done")


def test_the_rest_of_a_group_is_skipped() -> None:
    world = running(4, 1, at_once=1)
    world.tells(1, "failed")
    world.look()
    assert world.do("skip_group", group=3) == "group"
    assert world.do("skip_group", group=0) is None
    assert world.status() == "running"
    assert world.later(10)
    assert world.released() == [1, 5]
    assert world.do("skip_group", group=0) == "group", "it is over"
    assert world.do("skip_group", group=1) == "group", "nobody waits in it"


def test_those_who_are_away_at_the_end_are_given_up_by_skipping_the_late_ones() -> None:
    world = small(1, 1)
    world.leaves(2)
    world.do("approve", "taro")
    world.look()
    world.follows(1)
    world.later(10)
    assert world.do("skip_group", group=2) is None
    world.look()
    assert (world.status(), world.course.members[2].why) == ("done", "person")


def test_aborted_it_still_hears_out_who_is_under_way() -> None:
    world = running(3, 1, at_once=2)
    world.do("abort")
    world.look()
    assert world.status() == "aborting"
    assert world.last.still == Still("working", None, ("terminal-01", "terminal-02"))
    world.tells(1, "failed")
    world.follows(2)
    assert world.last.still == Still("going_back", None, ("terminal-01",))
    world.follows(1)
    assert world.status() == "aborted"
    assert world.states() == {1: "rolled_back", 2: "succeeded", 3: "skipped", 4: "skipped"}
    assert world.released() == [1, 2]


def test_everything_is_taken_back_also_in_closed_hours_and_after_the_end() -> None:
    world = running(2, 2, quiet=Quiet((Window(12 * 60, 13 * 60),)))
    world.follows(1, 2)
    world.later(10)
    world.follows(3)
    world.now_ms = at(25, 12, 5)
    assert world.do("take_back") is None
    assert world.look() == [Restore(1), Restore(2), Restore(3), Restore(4)]
    world.follows(1, 2, 4)
    assert world.status() == "taking_back"
    world.later(30)
    assert world.status() == "taken_back"
    assert world.states() == {1: "rolled_back", 2: "rolled_back", 3: "failed_timeout", 4: "rolled_back"}
    assert world.course.members[3].why == "not_confirmed"
    done = running(1)
    done.follows(1)
    done.later(10)
    assert done.status() == "done"
    assert done.do("take_back") is None
    done.look()
    done.follows(1)
    assert (done.status(), done.course.members[1].why) == ("taken_back", "taken_back")
