"""What each tablet's shelf says (rule): the items for its district, its allowance, numbers to call.

1. Urgent items come first, then the newest. Of more than fit into one message the oldest stay away; how many did is
   told, so that an officer can withdraw what is out of date.
2. What two tablets of a district show is one list, made once.
"""

import zlib
from collections.abc import Mapping, Sequence

import msgspec

from hub.tablet.content import Item
from wire import shelf
from wire.shelf import Allowance, ShelfContent, Telephone

# What items may take of a message, deflated; the rest is for the allowance and the telephones.
ITEMS_BYTES = 36_000


class Tablet(msgspec.Struct, frozen=True):
    """A lent tablet: who has it (a number, or empty), where that is, since when (ms, 0: not known or not lent)."""

    device_id: int
    device: str
    number: str = ""
    district: str = ""
    since_ms: int = 0
    contact: str = ""


class List(msgspec.Struct, frozen=True):
    """What the tablets of a district show, and how many older items did not fit."""

    items: tuple[shelf.Item, ...]
    left_out: int = 0


class Town(msgspec.Struct, frozen=True):
    """What every shelf says of the town."""

    name: str = ""
    telephones: tuple[Telephone, ...] = ()


def lists(items: Sequence[Item], districts: Sequence[str]) -> dict[str, List]:
    """The list of each district."""
    return {district: fitting([item for item in items if item.is_for(district)]) for district in set(districts)}


def fitting(items: Sequence[Item]) -> List:
    """As many as fit, urgent ones first, then the newest."""
    ranked = sorted(items, key=lambda item: (not item.urgent, -(item.published_ms or 0), item.name))
    shown = [item.on_shelf() for item in ranked]
    low, high = 0, len(shown)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(shown[:middle]) <= ITEMS_BYTES else (low, middle - 1)
    return List(tuple(shown[:low]), len(shown) - low)


def _size(items: Sequence[shelf.Item]) -> int:
    return len(zlib.compress(msgspec.json.encode(items), 9))


def content(tablet: Tablet, town: Town, listed: List, ticket: str, allowances: Mapping[int, Allowance]) -> ShelfContent:
    """One tablet's shelf: the number that its settings name for help stands first."""
    helping = (Telephone(town.name or "役場", tablet.contact),) if tablet.contact else ()
    numbers = (*helping, *(one for one in town.telephones if one.number != tablet.contact))
    allowance = allowances.get(tablet.device_id)
    if allowance is None and tablet.since_ms:
        allowance = Allowance(since_ms=tablet.since_ms)
    return ShelfContent(town.name, ticket, listed.items, allowance, numbers)
