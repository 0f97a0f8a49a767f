"""Whether units of a benefit may be taken here (rule): within the allowance, before its end, by a clock that can be
trusted.

1. An allowance's limit counts all that was ever taken under its name at this device.
2. A device that has lost its own count goes on from what the hub had heard of (`wire.purse.Allowance.used`): it never
   takes for unused what the hub knows to be used.
3. Without a clock nobody can say whether an allowance is over: nothing is taken.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec

from edge_agent.clock import Stamp
from wire.purse import Allowance, PurseContent

Reason = Literal["unknown", "none_left", "not_enough", "expired", "clock", "full", "too_late"]
# More at once is a slip of the finger.
MOST_UNITS = 100


class Count(msgspec.Struct, frozen=True):
    """What was taken so far under an allowance, and the last use, which can still be taken back; empty: none."""

    used: int
    use: str = ""
    units: int = 0


class Refused(NamedTuple):
    """Why nothing was taken; `left` is what could be taken here."""

    reason: Reason
    left: int = 0


class May(NamedTuple):
    """It may be taken under this allowance, of which `used` is taken."""

    allowance: Allowance
    used: int


def used_so_far(allowance: Allowance, own: Count | None) -> int:
    """Units taken here under an allowance."""
    return allowance.used if own is None else max(own.used, allowance.used)


def balance_left(allowance: Allowance, used: int) -> int:
    """What is left everywhere, as far as this device knows."""
    return max(0, allowance.balance - (used - allowance.used))


def of_card(content: PurseContent, card: str, benefit: str) -> Allowance | None:
    """The allowance of a card for a benefit."""
    return next((one for one in content.allowances if (one.card, one.benefit) == (card, benefit)), None)


def decide(
    content: PurseContent, counts: Mapping[str, Count], card: str, benefit: str, units: int, now: Stamp
) -> May | Refused:
    """Whether a card may take so many units of a benefit now."""
    found = of_card(content, card, benefit)
    if found is None or not 1 <= units <= MOST_UNITS:
        return Refused("unknown")
    used = used_so_far(found, counts.get(found.id))
    left = max(0, found.limit - used)
    if left < units:
        return Refused("not_enough" if left else "none_left", left)
    if now.clock == "unset":
        return Refused("clock")
    if now.at_ms >= found.until_ms:
        return Refused("expired")
    return May(found, used)
