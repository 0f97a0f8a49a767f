"""What a month came to by class, and by how much two versions of it differ (rule).

1. Yen of a class: whole hours times the class's yen of an hour, unit by unit; without monthly rounding the minutes'
   share of it, half up.  Together they are the month's yen.
2. What a later version came to more or less is booked class by class; the first version and all bookings together
   are the latest version.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.result import MonthResult, UnitResult


class Amount(NamedTuple):
    """Raw minutes, hours after rounding, yen."""

    minutes: int = 0
    hours: int = 0
    yen: int = 0

    def plus(self, other: "Amount") -> "Amount":
        """Both together."""
        return Amount(self.minutes + other.minutes, self.hours + other.hours, self.yen + other.yen)

    def less(self, other: "Amount") -> "Amount":
        """What this is more than the other."""
        return Amount(self.minutes - other.minutes, self.hours - other.hours, self.yen - other.yen)


NOTHING = Amount()


def amounts(result: MonthResult | None) -> dict[PayClass, Amount]:
    """A month by class; classes without minutes are left out."""
    found: dict[PayClass, Amount] = {}
    for unit in result.units if result else ():
        for cls, minutes in unit.minutes.items():
            one = Amount(minutes, unit.hours.get(cls, 0), _yen(unit, cls))
            found[cls] = found.get(cls, NOTHING).plus(one)
    return {cls: found[cls] for cls in PAY_CLASSES if found.get(cls, NOTHING) != NOTHING}


def difference(before: MonthResult | None, after: MonthResult | None) -> dict[PayClass, Amount]:
    """By how much `after` is more than `before`, class by class; None is a month that came to nothing."""
    old, new = amounts(before), amounts(after)
    changed = {cls: new.get(cls, NOTHING).less(old.get(cls, NOTHING)) for cls in PAY_CLASSES}
    return {cls: one for cls, one in changed.items() if one != NOTHING}


def total(parts: Iterable[Mapping[PayClass, Amount]]) -> dict[PayClass, Amount]:
    """The sum of many people's."""
    found: dict[PayClass, Amount] = {}
    for part in parts:
        for cls, one in part.items():
            found[cls] = found.get(cls, NOTHING).plus(one)
    return {cls: found[cls] for cls in PAY_CLASSES if cls in found}


def altogether(classes: Mapping[PayClass, Amount]) -> Amount:
    """The sum of all classes."""
    found = NOTHING
    for one in classes.values():
        found = found.plus(one)
    return found


def _yen(unit: UnitResult, cls: PayClass) -> int:
    an_hour = unit.yen_per_hour.get(cls, 0)
    if unit.hours:
        return unit.hours.get(cls, 0) * an_hour
    return (unit.minutes[cls] * an_hour + 30) // 60
