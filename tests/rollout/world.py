"""A town's devices as the rule sees them: what each is ordered, what it tells, on a clock that stands."""

from datetime import datetime, timedelta, timezone

from msgspec.structs import replace

from hub.rollout.acts import Act, Asked, Refusal, act
from hub.rollout.course import Steps, next_steps
from hub.rollout.heard import Heard, Report, Result
from hub.rollout.plan import Group, Plan
from hub.rollout.quiet import Quiet
from hub.rollout.state import Course, Member, Ordered, Release, Restore, State, Status, Step, after

JST = timezone(timedelta(hours=9))
MINUTE_MS = 60_000
OLD, NEW = "old", "new"


def at(day: int, hour: int, minute: int = 0) -> int:
    """A moment of November 2026 in Japan, in ms."""
    return int(datetime(2026, 11, day, hour, minute, tzinfo=JST).timestamp() * 1000)


class World:
    """Devices, the roll-out over them, and the hub's clock."""

    def __init__(self, plan: Plan, members: list[Member], now_ms: int = at(25, 10)) -> None:
        self.course = Course(plan, "proposed", 0, 0, {one.device: replace(one, known=OLD) for one in members})
        self.now_ms = now_ms
        self.made_by = "hanako"
        self.heard: dict[int, Heard] = {
            one.device: Heard(
                online=True,
                heard_ms=now_ms,
                health_ms=now_ms,
                ordered=Ordered(OLD, "a", 1, "old-1", now_ms),
            )
            for one in members
        }
        self.log: list[Step] = []
        self.last = Steps()

    # ---- the hub

    def look(self) -> list[Step]:
        """Lets the rule go on until it has nothing more to do; what it did."""
        done: list[Step] = []
        while (found := next_steps(self.course, self.heard, self.now_ms)).steps:
            assert len(done) < 1000, "it never comes to rest"
            for step in found.steps:
                self.carry_out(step)
            done += found.steps
        self.last = found
        return done

    def carry_out(self, step: Step) -> None:
        """One step, as the store does it: what is ordered counts on."""
        if isinstance(step, Release | Restore):
            self.order(step.device, NEW if isinstance(step, Release) else OLD)
            ordered = self.heard[step.device].ordered
            assert ordered
            self.course = after(self.course, [step], self.now_ms, {step.device: ordered})
        else:
            self.course = after(self.course, [step], self.now_ms)
        self.log.append(step)

    def order(self, device: int, content: str) -> None:
        """Other settings are ordered of a device."""
        before = self.heard[device].ordered
        assert before
        number = before.generation + 1
        self.heard[device] = replace(
            self.heard[device], ordered=Ordered(content, before.incarnation, number, f"{content}-{number}", self.now_ms)
        )

    def do(self, what: Act, who: str = "hanako", device: int = 0, group: int = 0) -> Refusal | None:
        """What a person does; why it could not be done."""
        found = act(self.course, self.made_by, Asked(what, who, device, group))
        if isinstance(found, str):
            return found
        for step in found:
            self.carry_out(step)
        return None

    def later(self, minutes: float) -> list[Step]:
        """Time goes by."""
        self.now_ms += int(minutes * MINUTE_MS)
        return self.look()

    # ---- a device

    def tells(self, device: int, result: Result = "applied", *, digest: str = "", pure: bool = True) -> None:
        """It has dealt with what it was ordered, and says how."""
        ordered = self.heard[device].ordered
        assert ordered
        applied = ordered.generation if result == "applied" else ordered.generation - 1
        self.report(
            device,
            Report(
                ordered.incarnation,
                ordered.generation,
                applied,
                result,
                "" if result == "applied" else "why",
                digest or ordered.digest,
                pure,
                self.now_ms,
            ),
        )

    def report(self, device: int, report: Report) -> None:
        """It says something of any kind."""
        self.heard[device] = replace(self.heard[device], report=report, heard_ms=self.now_ms)

    def lives(self, device: int) -> None:
        """Its health is heard."""
        self.heard[device] = replace(self.heard[device], health_ms=self.now_ms, heard_ms=self.now_ms)

    def follows(self, *devices: int) -> list[Step]:
        """They apply what they were ordered, and are heard after that."""
        for device in devices:
            self.tells(device)
        self.now_ms += 1
        for device in devices:
            self.lives(device)
        return self.look()

    def leaves(self, device: int) -> None:
        """Its connection ends."""
        self.heard[device] = replace(self.heard[device], online=False)

    def comes(self, device: int) -> None:
        """It is there again."""
        self.heard[device] = replace(self.heard[device], online=True, heard_ms=self.now_ms)

    # ---- what there is to see

    def status(self) -> Status:
        """The roll-out's status."""
        return self.course.status

    def states(self) -> dict[int, State]:
        """Each device's state."""
        return {id_: one.state for id_, one in self.course.members.items()}

    def released(self) -> list[int]:
        """Who has been released, in order."""
        return [step.device for step in self.log if isinstance(step, Release)]


def member(device: int, group: int = 0, kind: str = "terminal", place: str | None = None) -> Member:
    """A device in a group; a place of its own unless one is given."""
    return Member(device, f"{kind}-{device:02}", kind, f"place-{device}" if place is None else place, group)


def small(*sizes: int, at_once: int = 3, max_failures: int = 0, **more: object) -> World:
    """A world of groups of so many terminals, without closed hours, numbered from 1 on."""
    groups = tuple(Group(f"group-{number}", max_failures, at_once) for number in range(len(sizes)))
    plan = replace(Plan(groups, quiet=Quiet(), grace_ms=0), **more)
    members: list[Member] = []
    for number, size in enumerate(sizes):
        members += [member(len(members) + n + 1, number) for n in range(size)]
    return World(plan, members)


def running(*sizes: int, **more: object) -> World:
    """The same, approved and looked at once."""
    world = small(*sizes, **more)  # type: ignore[arg-type]
    assert world.do("approve", "taro") is None
    world.look()
    return world
