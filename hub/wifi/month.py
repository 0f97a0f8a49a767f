"""A month of the Wi-Fi as it may be shown: by place and day, and how full its hours were (rule).

1. A day in a place of which fewer devices are known than the town shows is hidden, with its sessions and bytes
   (`few.py`); where devices are not counted, by its sessions.
2. What is summed over days or places leaves hidden ones out and says so (`at_least`), so that nothing can be worked out
   by subtraction.
3. Of an hour only a step is shown (`LEVELS`): none, a few, and more; never a figure of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec

from hub.shown import day_of
from hub.wifi import few

# From how many sessions in an hour each step begins; the first is what is hidden elsewhere.
LEVELS = (1, 5, 10, 20, 40)


class Cell(msgspec.Struct, frozen=True):
    """What there was on a day in a place; of several days or places `at_least` when something hidden is left out."""

    sessions: int = 0
    bytes: int = 0
    devices: int | None = None
    most_sessions: int = 0
    airtime_permille: int | None = None
    at_least: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there was nobody."""
        return not (self.sessions or self.bytes or self.devices)


class Hour(msgspec.Struct, frozen=True):
    """What was counted in an hour, by one access point in a place."""

    told_by: str
    place: str
    hour_ms: int
    began: int
    sessions: int
    bytes: int
    most_sessions: int
    airtime_permille: int | None


class Day(msgspec.Struct, frozen=True):
    """One day: None where it is hidden; the steps of its hours."""

    day: str
    cell: Cell | None
    levels: tuple[int, ...]


class Month(msgspec.Struct, frozen=True):
    """A month: its days, all of it, the same by place, and the fullest hours (as they began)."""

    days: tuple[Day, ...]
    total: Cell
    places: tuple[tuple[str, Cell], ...]
    fullest: tuple[Hour, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.places and not self.fullest


def days_of(month: str) -> list[str]:
    """The days of a month (`2026-11`). Raises ValueError."""
    first = date.fromisoformat(f"{month}-01")
    return [day.isoformat() for n in range(31) if (day := first + timedelta(days=n)).month == first.month]


def neighbour(month: str, step: int) -> str:
    """The month before (-1) or after (1)."""
    year, number = int(month[:4]), int(month[5:7]) - 1 + step
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


def level(sessions: int) -> int:
    """The step of an hour with so many sessions; 0: none."""
    return sum(sessions >= least for least in LEVELS)


def month_of(
    month: str, hours: Sequence[Hour], devices: Mapping[tuple[str, str], int], fewest: int = few.FEWEST
) -> Month:
    """The month, from its hours, and the devices counted in (place, day)."""
    cells = _cells(hours, devices)
    shown = {key: cell for key, cell in cells.items() if not _is_hidden(cell, fewest)}
    hidden = {key for key, cell in cells.items() if key not in shown and not cell.is_empty}
    places = sorted({place for place, _ in cells}, key=lambda place: (not place, place))
    by_hour: dict[int, int] = {}
    for hour in hours:
        by_hour[hour.hour_ms] = by_hour.get(hour.hour_ms, 0) + hour.sessions
    levels: dict[str, list[int]] = {}
    for hour_ms, sessions in by_hour.items():
        levels.setdefault(day_of(hour_ms), [0] * 24)[_hour_in_japan(hour_ms)] = level(sessions)
    days = []
    for day in days_of(month):
        some = [place for place in places if (place, day) in cells]
        cell = _sum_of(shown, hidden, [(place, day) for place in some])
        is_hidden = bool(some) and not any((place, day) in shown for place in some)
        days.append(Day(day, None if is_hidden else cell, tuple(levels.get(day, [0] * 24))))
    keys = {place: [key for key in cells if key[0] == place] for place in places}
    return Month(
        tuple(days),
        _sum_of(shown, hidden, list(cells)),
        tuple((place, _sum_of(shown, hidden, keys[place])) for place in places),
        fullest(hours),
    )


def cells_of(
    hours: Sequence[Hour], devices: Mapping[tuple[str, str], int], fewest: int = few.FEWEST
) -> list[tuple[str, str, Cell | None]]:
    """Every place and day, as a file has them; None is hidden."""
    found = _cells(hours, devices)
    return [
        (place, day, None if _is_hidden(found[place, day], fewest) else found[place, day])
        for place, day in sorted(found)
    ]


def fullest(hours: Iterable[Hour], n: int = 5) -> tuple[Hour, ...]:
    """The hours that were fullest: by how busy the air was, then by how many were on at once."""
    told = [one for one in hours if one.airtime_permille or one.most_sessions]
    told.sort(key=lambda one: (-(one.airtime_permille or 0), -one.most_sessions, one.hour_ms))
    return tuple(told[:n])


def _cells(hours: Sequence[Hour], devices: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], Cell]:
    sums: dict[tuple[str, str], list[Any]] = {}
    for hour in hours:
        one = sums.setdefault((hour.place, day_of(hour.hour_ms)), [0, 0, 0, None])
        one[0] += hour.began
        one[1] += hour.bytes
        one[2] = max(one[2], hour.most_sessions)
        one[3] = _busier(one[3], hour.airtime_permille)
    return {
        key: Cell(sessions, in_bytes, devices.get(key), most, airtime)
        for key, (sessions, in_bytes, most, airtime) in sums.items()
        if sessions or in_bytes or most or airtime is not None
    }


def _is_hidden(cell: Cell, fewest: int) -> bool:
    if cell.devices is not None:
        return few.is_few(cell.devices, fewest)
    # Bytes without a session of that day flowed in one of the day before.
    return few.is_few(cell.sessions, fewest) or (cell.sessions == 0 and cell.bytes > 0)


def _sum_of(
    shown: Mapping[tuple[str, str], Cell], hidden: set[tuple[str, str]], keys: Sequence[tuple[str, str]]
) -> Cell:
    some = [shown[key] for key in keys if key in shown]
    airtime: int | None = None
    for one in some:
        airtime = _busier(airtime, one.airtime_permille)
    return Cell(
        sum(one.sessions for one in some),
        sum(one.bytes for one in some),
        # Devices of several days or places are not other devices.
        some[0].devices if len(keys) == 1 and some else None,
        max((one.most_sessions for one in some), default=0),
        airtime,
        any(key in hidden for key in keys),
    )


def _busier(one: int | None, other: int | None) -> int | None:
    return max((figure for figure in (one, other) if figure is not None), default=None)


def _hour_in_japan(hour_ms: int) -> int:
    return (hour_ms // 3_600_000 + 9) % 24
