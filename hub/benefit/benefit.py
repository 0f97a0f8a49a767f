"""What is left of a benefit (rule): grants and uses folded into an account, whatever order they came in.

1. A grant counts from its day through its last one; a use takes from those that count on its day, first from the one
   that ends first, so that what would be lost is used first.
2. A use that was taken back is none.
3. What no grant covers was taken over the balance: it happened, it is shown, and no later grant pays for it unasked.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

# Behind every day that a grant can end on.
_OPEN = "9999-12-31"

# Who took a use: the device's number, and the use's name there.
UseName = tuple[int, str]


class Kind(msgspec.Struct, frozen=True):
    """A kind of benefit: `unit_yen` is what a unit is worth (0: nothing that is booked); `offline_units` how much one
    device may take of one account in `offline_days` without the hub.

    Days are YYYY-MM-DD; an empty `to_day` is open.
    """

    code: str
    name_ja: str
    name_en: str
    unit_ja: str
    unit_en: str
    unit_yen: int
    budget_code: str
    offline_units: int
    offline_days: int
    from_day: str
    to_day: str = ""

    def is_on(self, day: str) -> bool:
        """Whether it is given out on a day."""
        return self.from_day <= day <= (self.to_day or _OPEN)


class Grant(msgspec.Struct, frozen=True):
    """Units that were granted and approved, from `day` through `last_day` (empty: open)."""

    id: int
    units: int
    day: str
    last_day: str = ""

    def is_on(self, day: str) -> bool:
        """Whether it counts on a day."""
        return self.day <= day <= self.ends

    @property
    def ends(self) -> str:
        """Its last day; one behind all others where it has none."""
        return self.last_day or _OPEN


class Use(msgspec.Struct, frozen=True):
    """Units that were taken, on a day in Japan; `at_ms` orders those of one day."""

    name: UseName
    units: int
    day: str
    at_ms: int = 0


class Account(msgspec.Struct, frozen=True):
    """What is left of each grant, and what each use took over all of them."""

    grants: tuple[Grant, ...]
    left: Mapping[int, int]
    over: Mapping[UseName, int]

    def balance(self, day: str) -> int:
        """What may be taken on a day."""
        return sum(self.left[grant.id] for grant in self.grants if grant.is_on(day))

    def first_end(self, day: str) -> str:
        """The day after which some of that is lost; empty when none is."""
        ends = [one.ends for one in self.grants if one.is_on(day) and self.left[one.id] and one.last_day]
        return min(ends, default="")


def account(grants: Iterable[Grant], uses: Iterable[Use]) -> Account:
    """The account of one resident and benefit, from what was approved and what was not taken back."""
    ordered = tuple(sorted(grants, key=lambda one: (one.ends, one.day, one.id)))
    left = {one.id: one.units for one in ordered}
    over: dict[UseName, int] = {}
    for use in sorted(uses, key=lambda one: (one.day, one.at_ms, one.name)):
        if rest := _take(ordered, left, use):
            over[use.name] = rest
    return Account(ordered, left, over)


def _take(grants: Sequence[Grant], left: dict[int, int], use: Use) -> int:
    """Takes a use from what is left; what it took over that."""
    rest = use.units
    for grant in grants:
        if rest and grant.is_on(use.day):
            part = min(rest, left[grant.id])
            left[grant.id] -= part
            rest -= part
    return rest
