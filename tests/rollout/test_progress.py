"""Roll-outs in a real database, on a clock that the test moves: settings, outbox, states and history go together."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub import audit
from hub.db import Connection
from hub.fleet import outbox
from hub.policy import store as policy
from hub.policy import task as policy_task
from hub.rollout import progress, store, task
from hub.rollout.acts import Act, Asked, Refusal
from hub.rollout.plan import Group, Plan
from hub.rollout.quiet import MINUTE_MS, Quiet
from hub.rollout.state import State, Status
from tests.policy.hub_parts import Town
from wire import codec
from wire.messages import Desired, Reported

START_MS = 1_795_500_000_000
OLD: dict[str, Any] = {"contact": "old"}
NEW: dict[str, Any] = {"contact": "new", "opening": {"holidays_closed": True}}


class Rolling:
    """A roll-out of `NEW` to devices that were ordered `OLD`, in groups of given sizes."""

    def __init__(self, town: Town, *sizes: int, **more: Any) -> None:
        self.town, self.now_ms = town, START_MS
        town.publish(OLD, *range(1, sum(sizes) + 1), now_ms=START_MS - 1)
        groups = tuple(Group(f"group-{number}", 0, 3) for number in range(len(sizes)))
        plan = Plan(groups, quiet=Quiet(), grace_ms=0, **more)
        places = [group for group, size in enumerate(sizes) for _ in range(size)]
        entries = [store.Entry(id_, "", group, OLD, NEW) for id_, group in enumerate(places, 1)]
        self.number = town.db.write_now(lambda conn: store.make(conn, "New", plan, entries, START_MS, "hanako"))

    def do(self, what: Act, who: str = "hanako", device: int = 0) -> Refusal | None:
        """What a person does."""
        asked = Asked(what, who, device)
        return self.town.db.write_now(
            lambda conn: progress.do(conn, self.town.signing, self.number, asked, self.now_ms)
        )

    def later(self, minutes: float) -> bool:
        """Time goes by; whether the hub had something to do."""
        self.now_ms += int(minutes * MINUTE_MS)
        return self.look()

    def look(self) -> bool:
        """The hub looks."""
        return self.town.db.write_now(lambda conn: progress.go_on(conn, self.town.signing, self.number, self.now_ms))

    def reports(self, device: int, result: str = "applied", *, lives: bool = True) -> None:
        """A device says what it has made of it, and is heard after that."""
        one = self.town.ordered(device)
        applied = one.generation if result == "applied" else one.generation - 1
        report = Reported(one.incarnation, one.generation, applied, result, digest=one.digest)  # type: ignore[arg-type]
        self.now_ms += 1
        self.town.report(device, report, received_ms=self.now_ms)
        if lives:
            self.now_ms += 1
            self.town.db.write_now(self._lives(device))
        self.look()

    def _lives(self, device: int) -> Any:
        def write(conn: Connection) -> None:
            conn.execute(
                "INSERT INTO latest VALUES (?, 'health', 1, 0, 0, 0, ?, ?) "
                "ON CONFLICT DO UPDATE SET received_ms = excluded.received_ms",
                (device, self.now_ms, b"{}"),
            )

        return write

    def states(self) -> list[State]:
        """Of the devices in order."""
        course = self.town.db.read(lambda conn: store.course(conn, self.number))
        assert course is not None
        return [course.members[id_].state for id_ in sorted(course.members)]

    def status(self) -> Status:
        """Of the whole."""
        head = self.town.db.read(lambda conn: store.head(conn, self.number))
        assert head is not None
        return head.status

    def told(self) -> list[tuple[str, str, str]]:
        """The history, oldest first: who, what, which device."""
        found = self.town.db.read(lambda conn: store.events(conn, self.number, 1000))
        return [(one.who, one.what, one.device) for one in reversed(found)]

    def ordered(self) -> dict[int, str]:
        """The contact that each device is ordered to show."""
        return {id_: one.document["contact"] for id_, one in self.town.db.read(policy.ordered).items()}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Twelve terminals that are there."""
    made = Town(tmp_path, *["terminal"] * 12)
    yield made
    made.db.close()


def test_a_release_is_published_signed_and_on_its_way(town: Town) -> None:
    rolling = Rolling(town, 1, 2)
    assert rolling.look() is False
    assert rolling.do("approve") == "own"
    assert rolling.ordered() == {1: "old", 2: "old", 3: "old"}
    assert rolling.do("approve", "taro") is None
    assert rolling.states() == ["released", "waiting", "waiting"]
    assert rolling.ordered() == {1: "new", 2: "old", 3: "old"}
    sent = codec.decode_down(town.outgoing()[1])
    assert isinstance(sent, Desired)
    assert (sent.document["contact"], sent.generation) == ("new", 2)
    assert rolling.look() is False, "the same moment has nothing more"
    rolling.reports(1)
    assert rolling.states()[0] == "succeeded"
    rolling.later(10)
    assert rolling.ordered() == {1: "new", 2: "new", 3: "new"}
    rolling.reports(2)
    rolling.reports(3)
    rolling.later(10)
    assert rolling.status() == "done"
    assert rolling.told() == [
        ("taro", "approve", ""),
        ("", "begin", ""),
        ("", "released", "d-1"),
        ("", "succeeded", "d-1"),
        ("", "begin", ""),
        ("", "released", "d-2"),
        ("", "released", "d-3"),
        ("", "succeeded", "d-2"),
        ("", "succeeded", "d-3"),
        ("", "begin", ""),
        ("", "done", ""),
    ]
    assert [one.did for one in town.db.read(audit.entries)] == ["rollout_approve"]


def test_a_failed_device_is_ordered_its_old_settings_again(town: Town) -> None:
    rolling = Rolling(town, 3, 1)
    rolling.do("approve", "taro")
    rolling.reports(2, "rolled_back", lives=False)
    assert (rolling.status(), rolling.states()) == ("stopped", ["released", "failed", "released", "waiting"])
    assert rolling.ordered() == {1: "new", 2: "old", 3: "new", 4: "old"}
    rolling.reports(2)
    assert rolling.states()[1] == "rolled_back"
    rolling.later(100)
    assert rolling.ordered()[4] == "old"


def test_a_deadline_ends_in_failed_timeout(town: Town) -> None:
    """Acceptance of part 7: a device that never answers, on a virtual clock."""
    rolling = Rolling(town, 1, 1, deadline_ms=30 * MINUTE_MS)
    rolling.do("approve", "taro")
    rolling.later(29.9)
    assert rolling.states() == ["released", "waiting"]
    rolling.later(0.1)
    assert rolling.states() == ["failed_timeout", "waiting"]
    assert rolling.status() == "stopped"
    assert rolling.ordered()[1] == "old"


def test_what_is_killed_in_the_middle_is_done_whole_or_not_at_all(town: Town) -> None:
    rolling = Rolling(town, 3)
    rolling.do("pause")
    before = (rolling.states(), rolling.ordered(), town.outgoing(), rolling.told())

    class PowerCut(Exception):
        pass

    def cut(conn: Connection) -> None:
        asked = Asked("approve", "taro")
        assert progress.do(conn, town.signing, rolling.number, asked, rolling.now_ms) is None
        assert store.course(conn, rolling.number).members[1].state == "released"  # type: ignore[union-attr]
        raise PowerCut

    with pytest.raises(PowerCut):
        town.db.write_now(cut)
    assert (rolling.states(), rolling.ordered(), town.outgoing(), rolling.told()) == before
    assert rolling.do("approve", "taro") is None
    assert [what for _, what, _ in rolling.told()].count("released") == 3
    assert {one.generation for one in town.db.read(policy.ordered).values()} == {2}


def test_a_new_incarnation_of_the_same_settings_is_still_this_roll_out(town: Town) -> None:
    """A device that knows more than the hub is given the same settings anew (`hub.policy.task`)."""
    rolling = Rolling(town, 1)
    rolling.do("approve", "taro")
    before = town.ordered(1).incarnation
    town.come(1, before, 9)
    town.db.write_now(lambda conn: policy_task.publish_due(conn, town.signing, rolling.now_ms))
    assert town.ordered(1).incarnation > before
    rolling.look()
    assert rolling.states() == ["released"]
    rolling.reports(1)
    assert rolling.states() == ["succeeded"]


def test_what_somebody_else_publishes_is_left_alone(town: Town) -> None:
    rolling = Rolling(town, 1, 1)
    rolling.do("approve", "taro")
    town.publish({"contact": "other"}, 1, 2)
    rolling.look()
    rolling.later(10)
    assert rolling.states() == ["skipped", "skipped"]
    assert rolling.ordered() == {1: "other", 2: "other"}
    rolling.later(10)
    assert rolling.status() == "done"


def test_a_device_that_has_become_another_kind_is_left_out(town: Town) -> None:
    rolling = Rolling(town, 1)

    def other(conn: Connection) -> None:
        conn.execute("UPDATE device SET kind = 'tablet'")
        conn.execute("UPDATE rollout_document SET body = ?", ('{"terminal":{"volume":1}}',))

    town.db.write_now(other)
    rolling.do("approve", "taro")
    assert rolling.ordered() == {1: "old"}
    rolling.later(10)
    assert (rolling.states(), rolling.status()) == (["skipped"], "done")


def test_a_held_device_is_away_and_its_message_does_not_go(town: Town) -> None:
    rolling = Rolling(town, 2)
    town.db.write_now(lambda conn: outbox.hold(conn, 1, "clone", START_MS, "hub"))
    rolling.do("approve", "taro")
    assert rolling.states() == ["skipped", "released"]


def test_a_device_that_was_never_ordered_anything_goes_back_to_nothing_said(town: Town) -> None:
    plan = Plan((Group("first", 0, 3),), quiet=Quiet())
    entries = [store.Entry(1, "", 0, None, NEW)]
    number = town.db.write_now(lambda conn: store.make(conn, "New", plan, entries, START_MS, "hanako"))
    rolling = Rolling(town, 0)
    rolling.number = number
    town.db.write_now(lambda conn: conn.execute("DELETE FROM desired"))
    rolling.do("approve", "taro")
    rolling.reports(1, "failed", lives=False)
    assert town.ordered(1).document == {}


def test_taking_back_is_one_act_with_its_line_in_the_audit_log(town: Town) -> None:
    rolling = Rolling(town, 2)
    rolling.do("approve", "taro")
    rolling.reports(1)
    rolling.reports(2)
    assert rolling.do("take_back") is None
    assert rolling.ordered() == {1: "old", 2: "old"}
    rolling.reports(1)
    rolling.reports(2)
    assert (rolling.status(), rolling.states()) == ("taken_back", ["rolled_back", "rolled_back"])
    last = town.db.read(audit.entries)[0]
    assert (last.did, last.who, last.what) == ("rollout_take_back", "hanako", "New")


def test_a_device_is_in_one_open_roll_out_only(town: Town) -> None:
    rolling = Rolling(town, 2)
    assert town.db.read(store.in_open) == {1: rolling.number, 2: rolling.number}
    rolling.do("decline", "taro")
    assert town.db.read(store.in_open) == {}


def test_the_loop_knows_when_to_look_again(town: Town) -> None:
    rolling = Rolling(town, 1, 1)

    def look() -> task.Due:
        return town.db.read(lambda conn: task.due(conn, rolling.now_ms))

    assert look() == task.Due()
    rolling.do("approve", "taro")
    assert look() == task.Due((), frozenset({"d-1", "d-2"}), START_MS + 30 * MINUTE_MS)
    rolling.now_ms += 30 * MINUTE_MS
    assert look().numbers == (rolling.number,)


def test_what_is_not_there_cannot_be_done(town: Town) -> None:
    asked = Asked("approve", "taro")
    assert town.db.write_now(lambda conn: progress.do(conn, town.signing, 99, asked, 0)) == "status"
    assert town.db.write_now(lambda conn: progress.go_on(conn, town.signing, 99, 0)) is True
    assert town.db.read(lambda conn: progress.steps(conn, 99, 0)).steps == ()
