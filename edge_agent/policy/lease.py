"""How long a device has been without its hub, and whether its lease is over (rule).

1. A lent tablet that has not heard the hub for `lease_days` locks itself; 0 is never.
2. Time is counted by the clock that can be trusted: within one boot the monotonic one; across boots the wall clock,
   when it was good both times; else nothing is counted.  A wrong clock must lock nobody out.
"""

import msgspec

from edge_agent.clock import Stamp

_DAY_MS = 86_400_000


class Away(msgspec.Struct, frozen=True):
    """How long the hub was away when this was counted, and when that was."""

    away_ms: int = 0
    boot: str = ""
    mono_ms: int = 0
    at_ms: int = 0
    clock: str = "unset"


def counted(last: Away, now: Stamp, *, heard: bool) -> Away:
    """The count as it is now; it begins anew when the hub was heard since the last one."""
    away_ms = 0 if heard or not last.boot else last.away_ms + _between_ms(last, now)
    return Away(away_ms, now.boot, now.mono_ms, now.at_ms, now.clock)


def is_over(away: Away, lease_days: int) -> bool:
    """Whether the device should lock."""
    return lease_days > 0 and away.away_ms >= lease_days * _DAY_MS


def _between_ms(last: Away, now: Stamp) -> int:
    if last.boot == now.boot:
        return max(0, now.mono_ms - last.mono_ms)
    if "unset" in (last.clock, now.clock):
        return 0
    return max(0, now.at_ms - last.at_ms)
