"""Which content stays on a tablet within its part of the disk, and what is fetched next (rule).

1. Urgent items come before all others, unread ones before those that were opened, newer ones before older ones.
2. In that order each item is kept whole as long as its files fit; one that does not fit makes no room for itself by
   halves, and smaller ones behind it may still fit.  So what goes first is the oldest that was opened.
3. A file that several items have counts once.
4. An item whose end has come is not kept.
5. Over Wi-Fi or a cable everything is fetched. Over the metered line urgent items are fetched at once; others when two
   days have gone by without Wi-Fi, and only up to `METERED_BYTES` an item. When it is not known which way the data
   goes, it counts as metered.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from wire.shelf import File, Item

Way = Literal["wifi", "mobile", "wired", "none", "unknown"]

# How long an item that is not urgent waits for Wi-Fi, and how large it may be to be fetched over the metered line.
WAITS_MS = 2 * 86_400_000
METERED_BYTES = 20_000_000


class Kept(msgspec.Struct, frozen=True):
    """What is to be on the disk: items in the order of their worth, and the digests of all their files."""

    items: tuple[Item, ...]
    digests: frozenset[str]


def current(items: Sequence[Item], now_ms: int) -> tuple[Item, ...]:
    """Items whose end has not come, newest first, urgent ones before all others; `now_ms` 0: the time is not known."""
    shown = (item for item in items if not item.until_ms or item.until_ms > now_ms)
    return tuple(sorted(shown, key=lambda item: (not item.urgent, -item.published_ms, item.id)))


def keep(items: Sequence[Item], opened: Mapping[str, int], budget_bytes: int, now_ms: int) -> Kept:
    """What stays. `opened` tells by item when the resident opened it first."""
    shown = current(items, now_ms)
    ranked = sorted(shown, key=lambda item: (not item.urgent, item.id in opened, -item.published_ms, item.id))
    kept: list[Item] = []
    sizes: dict[str, int] = {}
    for item in ranked:
        more = {file.digest: file.size_bytes for file in item.files if file.digest not in sizes}
        if sum(sizes.values()) + sum(more.values()) <= budget_bytes:
            sizes |= more
            kept.append(item)
    return Kept(tuple(kept), frozenset(sizes))


def to_fetch(kept: Kept, there: Collection[str], way: Way, now_ms: int) -> tuple[File, ...]:
    """The files that are not there and may be fetched now, in their order; each once."""
    found: dict[str, File] = {}
    for item in kept.items:
        if may_fetch(item, way, now_ms):
            found |= {file.digest: file for file in item.files if file.digest not in there and file.digest not in found}
    return tuple(found.values())


def may_fetch(item: Item, way: Way, now_ms: int) -> bool:
    """Whether an item's files may be fetched over this way."""
    if way in ("wifi", "wired"):
        return True
    if way == "none":
        return False
    waited = now_ms - item.published_ms >= WAITS_MS
    return item.urgent or (waited and sum(file.size_bytes for file in item.files) <= METERED_BYTES)
