"""Who is reminded of what (rule): residents with something open of months of use up to a day of the calendar.

督促 is sent when the day to pay has passed, and names a day by which to pay (地方自治法231条の3 1項); both days are
what the town's ordinance says, so they are asked, never worked out here.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec


class OpenMonth(msgspec.Struct, frozen=True, gc=False):
    """What a resident owes for one month of use and line."""

    resident_id: int
    phone: str
    of_month: str
    yen: int


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What one resident is reminded of; `last_day` is when they were reminded before, or empty."""

    resident_id: int
    number: str
    name: str
    months: tuple[OpenMonth, ...]
    last_day: str = ""

    @property
    def yen(self) -> int:
        """In all."""
        return sum(one.yen for one in self.months)

    @property
    def oldest(self) -> str:
        """The oldest month of use that is open."""
        return min(one.of_month for one in self.months)


def letters(
    open_months: Iterable[OpenMonth], who: Mapping[int, tuple[str, str]], last: Mapping[int, str], through: str
) -> list[Letter]:
    """The letters for what is open of months of use through `through`; `who` are number and name, by number.

    What was paid too much for one month is taken from the others: nobody is reminded of more than they owe.
    """
    of: dict[int, list[OpenMonth]] = defaultdict(list)
    for one in open_months:
        if one.of_month <= through:
            of[one.resident_id].append(one)
    found = []
    for resident_id, months in of.items():
        number, name = who.get(resident_id, ("", ""))
        letter = Letter(
            resident_id=resident_id,
            number=number,
            name=name,
            months=tuple(sorted(months, key=lambda one: (one.of_month, one.phone))),
            last_day=last.get(resident_id, ""),
        )
        if letter.yen > 0:
            found.append(letter)
    return sorted(found, key=lambda letter: letter.number)
