"""What became known later (rule): what a month would come to now, against what stands in the ledger for it.

1. A closed month is never changed.  What stands and is no longer right is reversed, and what is right is entered
   anew, both in the open month; the new entry says which one it corrects.
2. An entry of assessment and one of waiver are put right each for itself: a waiver that is revoked leaves the
   assessment as it stands (C07), a late record of usage leaves the waiver (C16).
3. What stands and is right is left alone, so that asking twice enters nothing.
"""

from collections.abc import Iterable, Mapping

import msgspec

from hub.waiver.ledger import RECEIVABLE, WAIVED, Entry, Leg
from hub.waiver.month import Kind, Wanted, entry

Place = tuple[str, Kind, str]


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An entry of assessment or waiver that is not reversed."""

    seq: int
    kind: Kind
    of_month: str
    phone: str
    legs: tuple[Leg, ...]


class Correction(msgspec.Struct, frozen=True):
    """A line's month that is no longer what stands: what is reversed, and what is entered instead (either may be
    missing)."""

    kind: Kind
    of_month: str
    phone: str
    reversed: Standing | None
    entry: Entry | None

    @property
    def receivable_yen(self) -> int:
        """How much more (or less) the resident owes by it."""
        return _of(self.entry, RECEIVABLE) - _of(self.reversed, RECEIVABLE)

    @property
    def waived_yen(self) -> int:
        """How much more (or less) is waived by it."""
        return _of(self.entry, WAIVED) - _of(self.reversed, WAIVED)


def corrections(
    now: Iterable[Wanted], standing: Iterable[Standing], times: Mapping[Place, int], booked: str, note: str = ""
) -> list[Correction]:
    """What has to be entered in the month `booked`, in order. `times`: how often each was entered, reversed or not."""
    right = {(one.of_month, one.kind, one.phone): one for one in now}
    stands = {(one.of_month, one.kind, one.phone): one for one in standing}
    found = []
    for place in sorted({*right, *stands}, key=lambda key: (key[0], key[2], key[1])):
        old, new = stands.get(place), right.get(place)
        if old and new and alike(old.legs, new.legs):
            continue
        made = entry(new, booked, times.get(place, 0), old.seq if old else None, note) if new else None
        found.append(Correction(kind=place[1], of_month=place[0], phone=place[2], reversed=old, entry=made))
    return found


def alike(some: Iterable[Leg], others: Iterable[Leg]) -> bool:
    """Whether two entries say the same, in any order of their legs."""
    return _said(some) == _said(others)


def _said(legs: Iterable[Leg]) -> list[tuple[object, ...]]:
    return sorted(msgspec.structs.astuple(leg) for leg in legs)


def _of(one: Standing | Entry | None, account: str) -> int:
    return sum(leg.yen for leg in one.legs if leg.account == account) if one else 0
