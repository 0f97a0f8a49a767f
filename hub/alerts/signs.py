"""What a device's own figures say is wrong (rule).  The marks are those of `fleet/condition.py`.

Figures of a device that is not heard any more are old: they neither begin nor end anything, so they are faint.
"""

from collections.abc import Callable, Iterator

from hub.alerts.kinds import Kind
from hub.alerts.rule import Fact
from hub.fleet import condition as marks
from hub.fleet.store import DeviceRow
from wire.messages import Health, ProcessState

# A process that has not been up for so long, on a machine that has, was started anew.
_YOUNG_S, _BOOT_S = 180, 900
_ENDED = frozenset({"backoff", "fatal"})

# What devices call their alarms, and what these are here; any other is `alarm`, with its own name as detail.
_ALARMS: dict[str, Kind] = {"card_reader": "reader", "spool_broken": "spool_broken", "spool_full": "spool_full"}

# Firm, faint, or not there.
_Sign = bool | None


def signs(row: DeviceRow, place: str, now_ms: int) -> Iterator[Fact]:
    """Everything that is wrong with one device, apart from whether it is heard."""
    fresh = not marks.is_late(row, now_ms)

    def fact(kind: Kind, since_ms: int, sign: _Sign, detail: str = "", n: int = 0) -> Iterator[Fact]:
        if sign is not None:
            yield Fact(kind, row.name, since_ms, sign, row.name, place, detail, n)

    for name in row.open_alarms:
        kind = _ALARMS.get(name, "alarm")
        yield Fact(kind, row.name, now_ms, device=row.name, place=place, detail=name if kind == "alarm" else "")
    lost = row.missing + row.dropped
    yield from fact("lost", now_ms, True if lost else None, n=lost)
    yield from fact("unreadable", now_ms, True if row.quarantined else None, n=row.quarantined)
    yield from fact("clock", now_ms, fresh if row.clock == "unset" else None)
    waiting = row.spool_urgent + row.spool_bulk
    yield from fact("backlog", now_ms, _over(waiting, marks.BACKLOG, marks.BACKLOG_WELL, fresh=fresh), n=waiting)
    if row.health is not None:
        # By our clock: a device's own may stand in 1970.
        since_ms = row.last_heard_ms
        for kind, look in _LOOKS.items():
            sign, detail = look(row.health)
            if sign is not None:
                yield from fact(kind, since_ms, sign and fresh, detail)


def _over(figure: int, begins: int, ends: int, *, fresh: bool = True) -> _Sign:
    if figure > begins:
        return fresh
    return False if figure > ends else None


def _disk(health: Health) -> tuple[_Sign, str]:
    if not health.disk_total:
        return None, ""
    free = health.disk_free * 1000
    if free < health.disk_total * marks.DISK_FREE_PERMILLE:
        return True, ""
    return (False if free < health.disk_total * marks.DISK_WELL_PERMILLE else None), ""


def _hot(health: Health) -> tuple[_Sign, str]:
    return _over(health.temperature_milli_c or 0, marks.HOT_MILLI_C, marks.COOL_MILLI_C), ""


def _undervoltage(health: Health) -> tuple[_Sign, str]:
    """Bit 0 of the firmware's word is now; bit 16, since boot, keeps an alert until the supply has been seen to."""
    word = health.throttled or 0
    if word & marks.UNDERVOLTAGE:
        return True, ""
    return (False if word & marks.UNDERVOLTAGE << marks.SINCE_BOOT else None), ""


def _throttled(health: Health) -> tuple[_Sign, str]:
    """Slowed down, without the supply being too weak."""
    now = (health.throttled or 0) & marks.THROTTLED_NOW
    return (True if now and not now & marks.UNDERVOLTAGE else None), ""


def _process(health: Health) -> tuple[_Sign, str]:
    """A process that supervisor cannot keep up; one that has just begun may be the same one at its next try."""
    ended = [one.name for one in health.processes if one.state in _ENDED]
    if ended:
        return True, min(ended)
    return (False if any(one.state == "starting" for one in health.processes) else None), ""


def _restarting(health: Health) -> tuple[_Sign, str]:
    young = [one.name for one in health.processes if _is_young(one, health)]
    return (True, min(young)) if young else (None, "")


def _is_young(one: ProcessState, health: Health) -> bool:
    return one.state == "running" and one.uptime_s < _YOUNG_S and health.uptime_s > _BOOT_S


_LOOKS: dict[Kind, Callable[[Health], tuple[_Sign, str]]] = {
    "disk": _disk,
    "hot": _hot,
    "undervoltage": _undervoltage,
    "throttled": _throttled,
    "process": _process,
    "restarting": _restarting,
}
