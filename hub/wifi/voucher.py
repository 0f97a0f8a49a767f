"""Vouchers: what a batch may be, how a code is made and written (rule).

1. A code is shown once, on the sheet that is printed from it; here only its keyed hash is kept.  A sheet that was lost
   cannot be printed again: other codes take the place of its own.
2. A code has ten letters that are not misread, in two groups of five: 30^10 of them, so nobody guesses one.
3. A voucher's minutes run from its first use on a device; it counts for as many devices as are printed on it.
"""

from collections.abc import Sequence

import msgspec

from wire.kit import VOUCHER_LENGTH, VOUCHER_LETTERS

MOST = 500
GROUP = 5
LONGEST_LABEL = 60
# A month.
MOST_MINUTES = 44_640
MOST_DEVICES = 100
# So far ahead at most: who made it should still remember.
MOST_DAYS = 400


class Wanted(msgspec.Struct, frozen=True):
    """A batch that somebody asks for; it can be used until `until_ms` (UTC), the end of a day in Japan."""

    label: str
    count: int
    minutes: int
    devices: int
    until_ms: int


class Printed(msgspec.Struct, frozen=True):
    """A voucher as it stands on the sheet: its number in town (`3-017`) and its code."""

    id: str
    code: str


class Used(msgspec.Struct, frozen=True):
    """How a voucher was used: on how many devices, as far as can be told, at how many access points, and when last."""

    id: str
    uses: int
    devices: int
    places: int
    last_ms: int

    @property
    def over(self) -> int:
        """On how many devices more than it was made for: an access point does not know what is used at another."""
        return max(self.uses - self.devices, 0)


def code(letters: Sequence[int]) -> str:
    """A code, of so many random numbers as it has letters, each below the number of letters there are."""
    if len(letters) != VOUCHER_LENGTH:
        raise ValueError(f"found {len(letters)} numbers, expected {VOUCHER_LENGTH}")
    return "".join(VOUCHER_LETTERS[each] for each in letters)


def grouped(one: str) -> str:
    """A code as people read it: `K7M4Q-29XRT`."""
    return "-".join(one[at : at + GROUP] for at in range(0, len(one), GROUP))
