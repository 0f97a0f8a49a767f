"""In which hour the bytes of a session flowed, so that the hours' sums are the sessions' sums (rule).

1. A telling says how much had flowed by its time.  Of each hour in which a session was told of, the greatest counters
   told in it are kept: a `Point`.
2. An hour's share is by how much its point is above every point before it.  So the growth between two points counts
   in the hour of the later one.
3. A share follows from the points alone, and a point is a greatest: neither asks in which order things came.  A late
   telling between two points moves bytes from the later hour to its own; the sum stays the session's total.
"""

from collections.abc import Mapping
from typing import NamedTuple

HOUR_MS = 3_600_000


class Flow(NamedTuple):
    """Bytes from guests and to them; of a point how much had flowed since the session began."""

    up_bytes: int
    down_bytes: int


NOTHING = Flow(0, 0)


def hour_of(at_ms: int) -> int:
    """The beginning of the hour; hours begin together here and in Japan."""
    return at_ms - at_ms % HOUR_MS


def greater(one: Flow, other: Flow) -> Flow:
    """The greatest of each way."""
    if one.up_bytes >= other.up_bytes and one.down_bytes >= other.down_bytes:
        return one
    return Flow(max(one.up_bytes, other.up_bytes), max(one.down_bytes, other.down_bytes))


def shares(points: Mapping[int, Flow]) -> dict[int, Flow]:
    """What flowed in each hour of a session, from its points by hour."""
    if len(points) == 1:
        return dict(points)
    found, so_far = {}, NOTHING
    for hour_ms in sorted(points):
        now = greater(so_far, points[hour_ms])
        found[hour_ms] = Flow(now.up_bytes - so_far.up_bytes, now.down_bytes - so_far.down_bytes)
        so_far = now
    return found
