"""How a device is, in one word and the reasons (rule).

| word | mark | when |
|---|---|---|
| fault | ■ | an alarm is open, records were lost, the disk is nearly full |
| warning | ▲ | an unreadable record, clock not set, much waits on its disk, hot, throttled, not heard although online |
| ok | ● | none of these |
| offline | ○ | it said goodbye, or its connection ended |
| unheard | □ | somebody has entered it, and no device has been heard of |
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

from hub.fleet.late import late_after_ms
from wire.messages import ClockQuality

Word = Literal["ok", "warning", "fault", "offline", "unheard"]
Reason = Literal[
    "alarm", "missing", "dropped", "disk", "quarantined", "clock_unset", "backlog", "hot", "throttled", "silent"
]

# Where it begins, and where an alert of it ends again: a figure that wavers at one mark is one alert.
DISK_FREE_PERMILLE, DISK_WELL_PERMILLE = 50, 80
HOT_MILLI_C, COOL_MILLI_C = 80_000, 75_000
BACKLOG, BACKLOG_WELL = 1000, 500
# vcgencmd get_throttled: bits 0 to 3 are now, the same 16 higher since boot.
THROTTLED_NOW, UNDERVOLTAGE, SINCE_BOOT = 0b1111, 0b1, 16
_FAULTS: frozenset[Reason] = frozenset({"alarm", "missing", "dropped", "disk"})


class VitalSigns(Protocol):
    """What a condition asks of a health record."""

    @property
    def disk_total(self) -> int: ...
    @property
    def disk_free(self) -> int: ...
    @property
    def temperature_milli_c(self) -> int | None: ...
    @property
    def throttled(self) -> int | None: ...


class Signs(Protocol):
    """What a condition asks of a device: a whole row of the store, or a line of a list."""

    # Properties: what is asked is only looked at, and rows are frozen.
    @property
    def online(self) -> bool: ...
    @property
    def last_heard_ms(self) -> int: ...
    @property
    def report_every_ms(self) -> int: ...
    @property
    def health(self) -> VitalSigns | None: ...
    @property
    def clock(self) -> ClockQuality | None: ...
    @property
    def spool_urgent(self) -> int: ...
    @property
    def spool_bulk(self) -> int: ...
    @property
    def quarantined(self) -> int: ...
    @property
    def missing(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def open_alarms(self) -> Sequence[str]: ...


class Condition(NamedTuple):
    """A word and why, the gravest reason first."""

    word: Word
    reasons: tuple[Reason, ...]


def is_late(row: Signs, now_ms: int) -> bool:
    """Whether it missed its report by more than its own interval."""
    return now_ms - row.last_heard_ms > late_after_ms(row.report_every_ms, online=row.online)


def condition(row: Signs, now_ms: int) -> Condition:
    """How the device is now. What went wrong is told of a device that is offline as well."""
    reasons = tuple(reason for reason, holds in _reasons(row, now_ms).items() if holds)
    if not row.online:
        return Condition("offline", reasons)
    if _FAULTS & set(reasons):
        return Condition("fault", reasons)
    return Condition("warning" if reasons else "ok", reasons)


def _reasons(row: Signs, now_ms: int) -> dict[Reason, bool]:
    health = row.health
    return {
        "alarm": bool(row.open_alarms),
        "missing": row.missing > 0,
        "dropped": row.dropped > 0,
        "disk": bool(health and health.disk_total and health.disk_free * 1000 < health.disk_total * DISK_FREE_PERMILLE),
        "quarantined": row.quarantined > 0,
        "clock_unset": row.clock == "unset",
        "backlog": row.spool_urgent + row.spool_bulk > BACKLOG,
        "hot": bool(health and (health.temperature_milli_c or 0) > HOT_MILLI_C),
        "throttled": bool(health and (health.throttled or 0) & THROTTLED_NOW),
        "silent": row.online and is_late(row, now_ms),
    }
