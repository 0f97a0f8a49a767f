"""SQL: marks worked-out months when punches or clock readings come, in the transaction that keeps them.

1. A punch with a good clock concerns the months within reach of its day; any other, all months of whoever holds the
   card: its true time may lie anywhere.
2. A clock reading concerns whoever tapped in its boot while the clock was not set, if it lies nearer than the others.
3. Only months that were worked out are marked; what changed a card's holder is marked by whoever changed it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from hub.db import Connection
from hub.fleet import store as fleet
from hub.fleet.truetime import SYNCED, Anchor
from hub.shown import moment
from hub.staff.stale import first_month, month_at

_ALWAYS = ("", "~")
# Places in `store.punch_row`.
_WIDTH, _AT, _CLOCK, _CARD = 14, 5, 6, 8

_MARK = (
    "INSERT INTO timesheet_stale (staff_id, month) SELECT t.staff_id, t.month FROM card c "
    "JOIN timesheet t ON t.staff_id = c.staff_id WHERE c.token = ? AND t.month >= ? AND t.month <= ? "
    "ON CONFLICT DO NOTHING"
)


def mark_punches(conn: Connection, flat: Sequence[Any]) -> None:
    """Marks what the punches concern, one `store.punch_row` after the other."""
    found = {
        (flat[start + _CARD], *_months(flat[start + _AT], flat[start + _CLOCK]))
        for start in range(0, len(flat), _WIDTH)
    }
    conn.executemany(_MARK, sorted(found))


def mark_clocks(conn: Connection, readings: Iterable[tuple[int, Anchor]]) -> None:
    """Marks what new clock readings (boot and reading) set right; they are stored already."""
    by_boot: dict[int, set[Anchor]] = defaultdict(set)
    for boot_id, reading in readings:
        by_boot[boot_id].add(reading)
    for boot_id, new in by_boot.items():
        taps = conn.execute("SELECT card, mono_ms FROM punch WHERE boot_id = ? AND clock != 0", (boot_id,)).fetchall()
        if not taps:
            continue
        known = sorted(fleet.anchors(conn, (boot_id,))[boot_id])
        moved = {card for card, mono_ms in taps if _nearest(known, mono_ms) in new}
        conn.executemany(_MARK, [(card, *_ALWAYS) for card in sorted(moved)])


def _months(at_ms: int, clock: int) -> tuple[str, str]:
    if clock != SYNCED:
        return _ALWAYS
    day = moment(at_ms).date()
    return first_month(day), month_at(day)


def _nearest(anchors: Sequence[Anchor], mono_ms: int) -> Anchor:
    return min(anchors, key=lambda one: abs(one.mono_ms - mono_ms))
