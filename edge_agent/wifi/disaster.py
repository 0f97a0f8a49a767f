"""Rule: in which mode an access point is, and how long its disaster network still runs.

1. The disaster network (00000JAPAN, Wi-Fi Business Promotion Association) is begun for so many minutes and ends when
   they are over, whatever happens. Time is counted by the monotonic clock, which nobody can set; over a boot, or once a
   clock that was lost is good again, by the wall clock too: it can take time away, never give any.
2. What ended does not begin again under the same name, in whatever order the hub's words arrive.
3. The real thing takes the place of a drill, and of another run; a drill takes the place of nothing but a drill.
4. A drill changes nothing on the air: `on_air` stays what the opening hours say.
5. While the disaster network runs the opening hours do not count: nobody's session is cut because the house closes.
6. A device that does not know what time it is stays open: closed by mistake, people are cut off and nobody knows why;
   open by mistake, some use a network that is theirs on other hours anyway.

| now      | begin r       | drill r           | end r                        |
| nothing  | disaster r    | drill r           | nothing; r will not begin    |
| drill r  | disaster r    | drill r, as it is | nothing                      |
| drill q  | disaster r    | drill r           | drill q; r will not begin    |
| disaster r | as it is    | refused           | nothing                      |
| disaster q | disaster r  | refused           | disaster q; r will not begin |
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

import msgspec

from edge_agent.clock import Stamp
from edge_agent.effective import Effective
from wire.messages import DisasterReport
from wire.policy import WEEKDAYS, Opening, is_open

DISASTER_NETWORK = "00000JAPAN"

ModeName = Literal["normal", "closed", "disaster", "drill", "off"]
OnAir = Literal["normal", "closed", "disaster", "off"]
By = Literal["order", "button", "time", "restart"]
Refusal = Literal["used_before", "too_late", "disaster_runs"]

_MINUTE_MS = 60_000
_JAPAN = timedelta(hours=9)
# So many names of runs that are over are remembered.
_REMEMBERED = 100
# A shown end moves only when the wall clock was set, not with every rounding.
_SAME_END_MS = 5_000


class Mode(msgspec.Struct, frozen=True):
    """What the access point is to be now.

    `network_name` is the network that the mode is about. `on_air` says what the air and the guests' packets go by: as
    `name`, but in a drill as it would be without. `ends_ms` (wall clock, UTC) and `run` belong to a disaster or drill;
    `ends_ms` is 0 where the device does not know what time it is.
    """

    name: ModeName
    network_name: str = ""
    ends_ms: int = 0
    run: str = ""
    on_air: OnAir = "normal"

    @property
    def guests(self) -> Literal["captive", "open", "closed"]:
        """How packets of guests are treated: asked to agree first, let through, or turned away."""
        if self.on_air == "disaster":
            return "open"
        return "captive" if self.on_air == "normal" else "closed"


class Running(msgspec.Struct, frozen=True):
    """A disaster network or a drill, and how much of its time was left when that was counted last.

    `ends_ms` is shown; `sure_ms` is when it ends by a wall clock that was synchronised when that was worked out (0:
    none was yet).
    """

    run: str
    drill: bool
    by: By
    left_ms: int
    ends_ms: int
    sure_ms: int
    boot: str
    mono_ms: int
    at_ms: int
    clock: str


class Untold(msgspec.Struct, frozen=True):
    """A report that the spool does not have yet, and when it happened."""

    report: DisasterReport
    boot: str
    mono_ms: int
    at_ms: int
    clock: Literal["synced", "held", "unset"]


class Kept(msgspec.Struct, frozen=True):
    """What is on the disk: what runs, the names of what is over, what is still to be told."""

    running: Running | None = None
    over: tuple[str, ...] = ()
    untold: tuple[Untold, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """What somebody wants to begin. `until_ms` (wall clock) is when it is over at the hub; 0 when that is not said."""

    run: str
    minutes: int
    drill: bool = False
    by: By = "order"
    until_ms: int = 0


def begun(kept: Kept, asked: Asked, now: Stamp) -> Kept | Refusal:
    """What follows from a wish to begin; the same value when it runs already."""
    running = kept.running
    if asked.run in kept.over:
        return "used_before"
    if running is not None and asked.drill and not running.drill:
        return "disaster_runs"
    if running is not None and (running.run, running.drill) == (asked.run, asked.drill):
        return kept
    left_ms = _left_ms(asked, now)
    if left_ms <= 0:
        return "too_late"
    over = kept.over if running is None or running.run == asked.run else (*kept.over, running.run)
    sure_ms = now.at_ms + left_ms if now.clock == "synced" else 0
    new = Running(asked.run, asked.drill, asked.by, left_ms, _ends_ms(left_ms, now), sure_ms, *now)
    return msgspec.structs.replace(kept, running=new, over=over[-_REMEMBERED:])


def ended(kept: Kept, run: str) -> Kept:
    """What follows from the word that a run is over, whether or not it ever began here."""
    running = None if kept.running is not None and kept.running.run == run else kept.running
    over = kept.over if run in kept.over else (*kept.over, run)[-_REMEMBERED:]
    return msgspec.structs.replace(kept, running=running, over=over)


def counted(running: Running, now: Stamp) -> Running:
    """The same, with the time taken off that has passed since it was counted last. Never more left than before."""
    left_ms, sure_ms = running.left_ms - _passed_ms(running, now), running.sure_ms
    if now.clock == "synced":
        if sure_ms and (running.boot, running.clock) != (now.boot, "synced"):
            left_ms = min(left_ms, sure_ms - now.at_ms)
        sure_ms = sure_ms or now.at_ms + left_ms
    ends_ms = _ends_ms(left_ms, now)
    if running.ends_ms and ends_ms and abs(ends_ms - running.ends_ms) < _SAME_END_MS:
        ends_ms = running.ends_ms
    return Running(running.run, running.drill, running.by, left_ms, ends_ms, sure_ms, *now)


def mode(policy: Effective, running: Running | None, now: Stamp, *, receives: bool) -> Mode:
    """The mode at a moment. `receives`: the device has a network for guests at all."""
    if not receives:
        return Mode("off", on_air="off")
    on_air: OnAir = _by_hours(policy, now)
    if running is None:
        return Mode(on_air, policy.network_name, on_air=on_air)
    if running.drill:
        return Mode("drill", policy.network_name, running.ends_ms, running.run, on_air)
    return Mode("disaster", DISASTER_NETWORK, running.ends_ms, running.run, "disaster")


def _by_hours(policy: Effective, now: Stamp) -> Literal["normal", "closed", "off"]:
    if not policy.network_name:
        return "off"
    if not policy.opening_follows or now.clock == "unset" or not _says_hours(policy.opening):
        return "normal"
    there = datetime.fromtimestamp(now.at_ms / 1000, UTC) + _JAPAN
    return "normal" if is_open(policy.opening, there.date(), there.hour * 60 + there.minute) else "closed"


def _says_hours(opening: Opening) -> bool:
    """Whether the town has said anything of its hours; a house of which nothing is known is not closed for good."""
    return any(isinstance(getattr(opening, weekday), list) for weekday in WEEKDAYS) or bool(opening.open_days)


def _left_ms(asked: Asked, now: Stamp) -> int:
    whole_ms = asked.minutes * _MINUTE_MS
    if not asked.until_ms or now.clock == "unset":
        return whole_ms
    return min(whole_ms, asked.until_ms - now.at_ms)


def _passed_ms(running: Running, now: Stamp) -> int:
    if running.boot == now.boot:
        return max(0, now.mono_ms - running.mono_ms)
    # The new boot has lasted so long at least; a clock that lost its time says nothing about the time between.
    known = "unset" not in (running.clock, now.clock) and not (running.clock == "held" and now.clock == "synced")
    return max(now.mono_ms, now.at_ms - running.at_ms if known else 0)


def _ends_ms(left_ms: int, now: Stamp) -> int:
    return 0 if now.clock == "unset" else now.at_ms + left_ms
