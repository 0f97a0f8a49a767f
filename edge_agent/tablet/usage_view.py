"""Rule: what a line has used this month, from the tablet's own samples in the order in which they were taken.

The same rules by which the hub explains a bill, so that the resident and the town read one figure:

1. Within one boot the difference counts; a new boot counts whole. The first sample ever is where counting begins.
2. A fall within one boot is a wrap where the counter is declared 32-bit (each direction by itself); else the counter
   was set back, and what it shows counts whole.
3. Another card than before: what the counter carried since the last sample belongs to nobody.
4. What lies before the hand-over is nobody's. A step over a month's end or the hand-over is split by time: floored to
   the earlier part, the rest to the later one.
5. Only what went over the card counts against the allowance; Wi-Fi is told apart, tunnels repeat what is there already.

Bytes and milliseconds of UTC; months are those of Japan (UTC+9).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

Link = Literal["mobile", "wifi"]
Level = Literal["fine", "little", "over"]

_WRAP = 2**32
_JAPAN_MS = 9 * 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# From nine tenths of the allowance on a resident is told that little is left.
_LITTLE_TENTHS = 9


class Sample(NamedTuple):
    """The counters of one interface as they stood at a moment of a boot."""

    boot: str
    at_ms: int
    iface: str
    link: Link
    rx_bytes: int
    tx_bytes: int
    sim: str = ""
    bits: int = 64
    boot_ms: int | None = None


class Used(NamedTuple):
    """A month's bytes over the card and over Wi-Fi."""

    mobile_bytes: int = 0
    wifi_bytes: int = 0


class Left(NamedTuple):
    """What is left of an allowance, and how that is called: `over` from the allowance itself on."""

    left_bytes: int
    level: Level


def used(samples: Iterable[Sample], month: str, *, since_ms: int | None = None, sim: str = "") -> Used:
    """What was used in a month (`2026-11`) since the hand-over; `samples` in the order in which they were taken.

    With `sim`, only what went over that card, or over one that the modem did not name.
    """
    sums: dict[tuple[Link, str], int] = {}
    last: dict[tuple[str, Link, str], _Point] = {}
    for one in samples:
        for series, point in _points(one):
            before = last.get((one.iface, one.link, series))
            steps = _step(before, point, since_ms) if one.sim in ("", sim) or not sim or one.link == "wifi" else []
            for named, amount in steps:
                sums[one.link, named] = sums.get((one.link, named), 0) + amount
            last[one.iface, one.link, series] = point
    return Used(sums.get(("mobile", month), 0), sums.get(("wifi", month), 0))


def left_of(included_bytes: int, used_bytes: int) -> Left:
    """What is left of an allowance, and whether that is little."""
    left = max(0, included_bytes - used_bytes)
    if used_bytes >= included_bytes:
        return Left(left, "over")
    return Left(left, "little" if used_bytes * 10 >= included_bytes * _LITTLE_TENTHS else "fine")


def month_of(at_ms: int) -> str:
    """The month in Japan in which a moment lies."""
    return f"{_japan(at_ms):%Y-%m}"


class _Point(NamedTuple):
    boot: str
    at_ms: int
    bytes: int
    sim: str
    bits: int
    boot_ms: int | None


def _points(one: Sample) -> list[tuple[str, _Point]]:
    """A 64-bit counter is one series; a 32-bit one wraps in each direction by itself, and is two."""
    if one.bits == 64:
        return [("", _Point(one.boot, one.at_ms, one.rx_bytes + one.tx_bytes, one.sim, 64, one.boot_ms))]
    return [
        (series, _Point(one.boot, one.at_ms, amount, one.sim, 32, one.boot_ms))
        for series, amount in (("rx", one.rx_bytes), ("tx", one.tx_bytes))
    ]


def _step(before: _Point | None, after: _Point, since_ms: int | None) -> list[tuple[str, int]]:
    """The bytes between two points, by month."""
    if before is None:
        whole = after.boot_ms is not None and since_ms is not None and after.boot_ms >= since_ms
        return _spread(after.bytes, after.boot_ms or 0, after.at_ms, since_ms) if whole else []
    if before.boot != after.boot:
        begin_ms = before.at_ms if after.boot_ms is None else max(before.at_ms, after.boot_ms)
        return _spread(after.bytes, begin_ms, after.at_ms, since_ms)
    if before.sim != after.sim:
        return []
    amount = after.bytes - before.bytes
    if amount < 0:
        amount = amount + _WRAP if after.bits == 32 else after.bytes
    return _spread(amount, before.at_ms, after.at_ms, since_ms)


def _spread(amount: int, begin_ms: int, end_ms: int, since_ms: int | None) -> list[tuple[str, int]]:
    """The bytes of an interval by month, without what lies before `since_ms`. One that is none counts at its end."""
    low_ms = since_ms if since_ms is not None else begin_ms
    if begin_ms >= end_ms:
        return [(month_of(end_ms), amount)] if since_ms is None or since_ms <= end_ms else []
    cuts = _month_starts(begin_ms, end_ms)
    if begin_ms < low_ms < end_ms:
        cuts = sorted({*cuts, low_ms})
    found: list[tuple[str, int]] = []
    done, since = 0, begin_ms
    for until in (*cuts, end_ms):
        upto = amount * (until - begin_ms) // (end_ms - begin_ms)
        if low_ms <= since:
            found.append((month_of(since), upto - done))
        done, since = upto, until
    return found


def _month_starts(begin_ms: int, end_ms: int) -> list[int]:
    """The starts of months between two moments, neither of them included."""
    found = []
    start = _next_month(begin_ms)
    while start < end_ms:
        found.append(start)
        start = _next_month(start)
    return found


def _next_month(at_ms: int) -> int:
    now = _japan(at_ms)
    first = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
    return (first - _EPOCH) // timedelta(milliseconds=1) - _JAPAN_MS


def _japan(at_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=at_ms + _JAPAN_MS)
