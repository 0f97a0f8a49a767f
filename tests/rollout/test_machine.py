"""Any town, any plan, anything that devices and people may do: the rule against an oracle that asks one device and one
minute at a time, and knows nothing of how the rule is made.

Of each release the oracle says whether it was allowed; of each rest, whether something allowed was left out.
"""

from collections import Counter
from datetime import datetime, time, timedelta, timezone

import jpholiday
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from msgspec.structs import replace

from hub.rollout.acts import Act, may_retry
from hub.rollout.course import next_steps
from hub.rollout.heard import Report
from hub.rollout.plan import DAY_MS, LATE, Group, Plan
from hub.rollout.quiet import Quiet, Window, never_open
from hub.rollout.state import Begin, Move, Release, Restore, Step, Turn
from tests.rollout.world import MINUTE_MS, NEW, OLD, World, at, member

JST = timezone(timedelta(hours=9))
KINDS = ("terminal", "tablet", "access_point")
ENDED = {"done", "aborted", "taken_back", "declined"}
ENDS = {"succeeded", "failed", "failed_timeout", "skipped", "rolled_back"}

windows = st.lists(
    st.builds(
        Window,
        st.integers(0, 23).map(lambda hour: hour * 60),
        st.integers(0, 23).map(lambda hour: hour * 60 + 30),
        st.sampled_from([(), ("terminal",), ("access_point", "tablet")]),
    ),
    max_size=2,
).map(tuple)
groups = st.lists(
    st.builds(Group, st.just("g"), st.integers(0, 2), st.integers(1, 3), st.booleans()), min_size=1, max_size=3
).map(tuple)
plans = st.builds(
    Plan,
    groups,
    soak_ms=st.sampled_from([0, 10 * MINUTE_MS]),
    deadline_ms=st.sampled_from([30 * MINUTE_MS, 120 * MINUTE_MS]),
    offline=st.sampled_from(["skip", "wait"]),
    wait_ms=st.sampled_from([60 * MINUTE_MS, DAY_MS]),
    grace_ms=st.sampled_from([0, MINUTE_MS]),
    join_ms=st.sampled_from([60 * MINUTE_MS, DAY_MS]),
    quiet=st.builds(Quiet, windows, st.booleans(), st.sampled_from([(), ("2026-11-26",)])),
).filter(lambda plan: not never_open(plan.quiet, set(KINDS)))


class Oracle:
    """What has happened, in its own words, and what that allows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.approved = False
        self.allowed_again: set[int] = set()
        self.released: Counter[int] = Counter()
        # Failures of those that were under way, by stage, since somebody last said that things shall go on.
        self.failed: Counter[int] = Counter()
        self.accused: set[int] = set()

    def closed(self, kind: str) -> bool:
        """Minute by minute, from now to five minutes from now, with the calendar of the standard library."""
        quiet = self.world.course.plan.quiet
        now = datetime.fromtimestamp(self.world.now_ms / 1000, JST).replace(second=0, microsecond=0)
        for ahead in range(6):
            then = now + timedelta(minutes=ahead)
            off = then.weekday() in (5, 6) or jpholiday.is_holiday(then.date())
            off |= (then.month == 12 and then.day >= 29) or (then.month == 1 and then.day <= 3)
            if (quiet.days_off and off) or str(then.date()) in quiet.dates:
                return True
            for window in quiet.windows:
                since = time(window.since // 60, window.since % 60)
                until = time(window.until // 60, window.until % 60)
                inside = since <= then.time() < until if since < until else not until <= then.time() < since
                if inside and (not window.kinds or kind in window.kinds):
                    return True
        return False

    def stage_of(self, device: int) -> int:
        one = self.world.course.members[device]
        return len(self.world.course.plan.groups) if one.late else one.group

    def may_release(self, device: int) -> str:
        """Why it may not be released now; empty when it may."""
        world = self.world
        course, one, heard = world.course, world.course.members[device], world.heard[device]
        late = course.stage == len(course.plan.groups)
        group = LATE if late else course.plan.groups[course.stage]
        joins = late and one.state == "skipped" and one.why in ("away", "on_hold")
        under_way = [other for other in course.members.values() if other.state in ("released", "seen")]
        before = [other for other in course.members.values() if self.stage_of(other.device) < course.stage]
        last = [other for other in before if self.stage_of(other.device) == course.stage - 1 and other.released_ms]
        reasons = {
            "not approved": not self.approved,
            "does not run": course.status != "running",
            "not its turn": self.stage_of(device) != course.stage and not joins,
            "has had its turn": one.state != "waiting" and not joins,
            "released before": self.released[device] > 0 and device not in self.allowed_again,
            "a group before it has not ended": any(other.state not in ENDS for other in before),
            "not soaked": any(world.now_ms < other.ended_ms + course.plan.soak_ms for other in last),
            "closed": self.closed(one.kind),
            "away": not heard.online or heard.on_hold,
            "somebody else's": heard.ordered is not None and heard.ordered.content != one.known,
            "too many at once": len(under_way) >= group.at_once,
            "a neighbour": group.apart and one.place in {other.place for other in under_way},
            "too many have failed": any(
                self.accused_in(stage) > course.plan.stage(stage).max_failures for stage in range(course.stage + 1)
            ),
            "the time to join is over": late and world.now_ms >= course.stage_ms + course.plan.join_ms
            and not under_way,
        }  # fmt: skip
        return ", ".join(reason for reason, holds in reasons.items() if holds)

    def accused_in(self, stage: int) -> int:
        return sum(self.stage_of(device) == stage for device in self.accused)

    def note(self, step: Step, before: str) -> None:
        """A step was carried out; `before` is the state that its device was in."""
        if isinstance(step, Release):
            self.released[step.device] += 1
            self.allowed_again.discard(step.device)
        elif isinstance(step, Move):
            assert not step.fault or step.to in ("failed", "failed_timeout")
            if step.to == "waiting":
                self.allowed_again.add(step.device)
                self.accused.discard(step.device)
            if step.fault:
                self.accused.add(step.device)
                if before in ("released", "seen"):
                    self.failed[self.stage_of(step.device)] += 1
        elif isinstance(step, Turn) and step.forgive:
            self.accused.clear()
            self.failed.clear()


class Rollouts(RuleBasedStateMachine):
    """One roll-out over up to nine devices."""

    @initialize(
        plan=plans,
        devices=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(KINDS), st.sampled_from(["", "hall", "school"])),
                         min_size=1, max_size=9),
        hour=st.integers(0, 23),
    )  # fmt: skip
    def begin(self, plan: Plan, devices: list[tuple[int, str, str]], hour: int) -> None:
        members = [
            member(number, min(group, len(plan.groups) - 1), kind, place)
            for number, (group, kind, place) in enumerate(devices, 1)
        ]
        self.world = World(plan, members, at(25, hour))
        self.oracle = Oracle(self.world)
        self.final: dict[int, str] | None = None
        self.retried = 0

    def look(self) -> None:
        """The hub looks: each step is judged before it is carried out."""
        world, oracle = self.world, self.oracle
        for _ in range(100):
            found = next_steps(world.course, world.heard, world.now_ms)
            for step in found.steps:
                self.judge(step)
                before = world.course.members[step.device].state if isinstance(step, Move) else ""
                world.carry_out(step)
                oracle.note(step, before)
            if not found.steps:
                world.last = found
                break
        else:
            raise AssertionError("it never comes to rest")
        if world.course.status == "running":
            assert found.still is not None, "it stands still and nobody knows why"
            left_out = [id_ for id_ in world.course.members if not oracle.may_release(id_)]
            assert not left_out, "it could have gone on"

    def judge(self, step: Step) -> None:
        world = self.world
        if isinstance(step, Release):
            assert self.oracle.may_release(step.device) == ""
        elif isinstance(step, Restore):
            one, heard = world.course.members[step.device], world.heard[step.device]
            assert one.released_ms
            assert heard.ordered is not None
            assert heard.ordered.content == NEW, "somebody else's settings are left alone"
        elif isinstance(step, Move) and step.to == "succeeded":
            heard = world.heard[step.device]
            assert heard.ordered is not None
            assert heard.report is not None
            assert (heard.ordered.content, heard.report.result) == (NEW, "applied")
            assert heard.report.digest == heard.ordered.digest
            assert heard.health_ms > heard.report.received_ms
        elif isinstance(step, Begin):
            assert step.stage == world.course.stage + 1

    # ---- time and devices

    @rule(minutes=st.sampled_from([0.01, 1, 4, 9, 10, 29, 30, 60, 24 * 60]), part=st.integers(0, 100))
    def time_goes_by(self, minutes: float, part: int) -> None:
        world, until_ms = self.world, self.world.now_ms + int(minutes * MINUTE_MS)
        self.look()
        # Before the moment that it named nothing becomes due by time alone.
        then_ms = world.now_ms + (until_ms - world.now_ms) * part // 100
        if world.last.look_ms is None or then_ms < world.last.look_ms:
            assert next_steps(world.course, world.heard, then_ms).steps == ()
        world.now_ms = until_ms
        self.look()

    def some(self, chance: int) -> int:
        return 1 + chance % len(self.world.course.members)

    @rule(
        chance=st.integers(0, 8),
        what=st.sampled_from(["applied", "applied", "applied", "failed", "rolled_back", "refused"]),
    )
    def a_device_answers(self, chance: int, what: str) -> None:
        device = self.some(chance)
        if self.world.heard[device].online:
            self.world.tells(device, what)  # type: ignore[arg-type]
            self.look()

    @rule(chance=st.integers(0, 8), digest=st.sampled_from(["", "x"]), pure=st.booleans())
    def a_device_tells_something_odd(self, chance: int, digest: str, *, pure: bool) -> None:
        self.world.tells(self.some(chance), digest=digest, pure=pure)
        self.look()

    @rule(chance=st.integers(0, 8), number=st.integers(0, 3))
    def a_device_tells_of_another_time(self, chance: int, number: int) -> None:
        self.world.report(
            self.some(chance), Report("z", number, number, "applied", "", "old-1", True, self.world.now_ms)
        )
        self.look()

    @rule(chances=st.sets(st.integers(0, 8)))
    def devices_live(self, chances: set[int]) -> None:
        self.world.now_ms += 1
        for device in {self.some(chance) for chance in chances}:
            if self.world.heard[device].online:
                self.world.lives(device)
        self.look()

    @rule(chances=st.sets(st.integers(0, 8)))
    def devices_follow(self, chances: set[int]) -> None:
        for device in {self.some(chance) for chance in chances}:
            if self.world.heard[device].online:
                self.world.tells(device)
        self.devices_live(chances)

    @rule(chance=st.integers(0, 8))
    def a_device_leaves(self, chance: int) -> None:
        self.world.leaves(self.some(chance))

    @rule(chance=st.integers(0, 8))
    def a_device_comes(self, chance: int) -> None:
        self.world.comes(self.some(chance))
        self.look()

    @rule(chance=st.integers(0, 8), on_hold=st.booleans())
    def a_device_is_held(self, chance: int, *, on_hold: bool) -> None:
        device = self.some(chance)
        self.world.heard[device] = replace(self.world.heard[device], on_hold=on_hold)

    @rule(chance=st.integers(0, 40))
    def somebody_else_orders(self, chance: int) -> None:
        if chance < 9:
            self.world.order(self.some(chance), "other")
            self.look()

    @rule(chance=st.integers(0, 8))
    def the_same_is_published_anew(self, chance: int) -> None:
        ordered = self.world.heard[self.some(chance)].ordered
        assert ordered
        self.world.order(self.some(chance), ordered.content)
        self.look()

    # ---- people

    @precondition(lambda self: not self.oracle.approved)
    @rule(who=st.sampled_from(["hanako", "taro", "taro"]))
    def somebody_approves(self, who: str) -> None:
        refused = self.do("approve", who)
        assert (refused == "own") == (who == "hanako") or refused == "status"

    @rule(what=st.sampled_from(["pause", "resume", "resume", "resume", "skip_group"]), chance=st.integers(0, 8))
    def somebody_acts(self, what: Act, chance: int) -> None:
        self.do(what, group=chance % (len(self.world.course.plan.groups) + 1))

    @rule(chance=st.integers(0, 8))
    def a_device_is_skipped(self, chance: int) -> None:
        self.do("skip_device", device=self.some(chance))

    @rule(chance=st.integers(0, 8))
    def a_device_is_sent_once_more(self, chance: int) -> None:
        failed = [one.device for one in self.world.course.members.values() if may_retry(one)]
        if failed:
            self.retried += self.do("retry_device", device=failed[chance % len(failed)]) is None

    @rule(what=st.sampled_from(["decline", "abort", "take_back", "take_back"]), chance=st.integers(0, 8))
    def somebody_ends_it(self, what: Act, chance: int) -> None:
        if chance == 0:
            self.do(what)

    def do(self, what: Act, who: str = "hanako", device: int = 0, group: int = 0) -> str | None:
        since = len(self.world.log)
        refused = self.world.do(what, who, device, group)
        if refused is None:
            self.final = None
        if what == "approve" and refused is None:
            assert who != self.world.made_by
            self.oracle.approved = True
        for step in self.world.log[since:]:
            self.oracle.note(step, "")
        self.look()
        return refused

    # ---- what always holds

    @invariant()
    def no_more_have_failed_than_its_plan_says(self) -> None:
        plan = self.world.course.plan
        for stage, failed in self.oracle.failed.items():
            group = plan.stage(stage)
            # What a person sends once more may fail once more.
            assert failed <= group.max_failures + group.at_once + self.retried

    @invariant()
    def an_end_is_an_end(self) -> None:
        course = self.world.course
        if course.status not in ENDED:
            self.final = None
            return
        states = dict(self.world.states())
        assert set(states.values()) <= ENDS
        assert self.final in (None, states), "a state after the end"
        self.final = states  # type: ignore[assignment]

    def teardown(self) -> None:
        """Whatever has happened: when devices answer and people say "go on", it comes to its end."""
        if not hasattr(self, "world"):
            return
        world = self.world
        if world.course.status == "proposed":
            self.do("approve", "taro")
        for _ in range(200):
            if world.course.status in ENDED:
                break
            for device in world.course.members:
                world.comes(device)
                world.heard[device] = replace(world.heard[device], on_hold=False)
            self.devices_follow(set(range(9)))
            if world.course.status in ("paused", "stopped"):
                self.do("resume")
            world.now_ms = max(world.now_ms + 30 * MINUTE_MS, world.last.look_ms or 0)
            self.look()
        assert world.course.status in ENDED
        assert set(world.states().values()) <= ENDS
        for device, one in world.course.members.items():
            ordered = world.heard[device].ordered
            assert ordered is not None
            if one.state == "succeeded":
                assert ordered.content in (NEW, "other")
            elif one.state in ("rolled_back", "failed", "failed_timeout"):
                assert ordered.content in (OLD, "other"), "hub and device are in step again"


Rollouts.TestCase.settings = settings(
    max_examples=250, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestRollouts = Rollouts.TestCase
