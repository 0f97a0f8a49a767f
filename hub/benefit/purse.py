"""What a device's purse says (rule): its allowances with the cards that may use them, as many as fit.

Those that something can be taken from come first, then those changed last: whoever used a card lately is served.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.benefit.benefit import Kind
from wire import purse
from wire.purse import Allowance, Benefit, PurseContent


class Given(msgspec.Struct, frozen=True):
    """An allowance of a device with one card that may use it."""

    allowance: Allowance
    benefit: str
    changed_ms: int


def content(
    card_key: bytes, kinds: Mapping[str, Kind], given: Iterable[Given], today: str, most_bytes: int
) -> tuple[PurseContent, int]:
    """The purse, and how many allowances did not fit into `most_bytes` deflated."""
    ordered = sorted(
        given, key=lambda one: (one.allowance.limit <= one.allowance.used, -one.changed_ms, one.allowance.id)
    )
    fitting = _fit(card_key, kinds, ordered, today, most_bytes)
    return _content(card_key, kinds, ordered[:fitting], today), len(ordered) - fitting


def _content(card_key: bytes, kinds: Mapping[str, Kind], given: Sequence[Given], today: str) -> PurseContent:
    shown = [kind for kind in kinds.values() if kind.is_on(today)]
    benefits = tuple(
        Benefit(one.code, one.name_ja, one.name_en, one.unit_ja, one.unit_en, one.unit_yen) for one in shown
    )
    # In an order of their own, so that the same is the same bytes.
    rows = sorted((one.allowance for one in given), key=lambda one: (one.id, one.card))
    return PurseContent(card_key, benefits, tuple(rows))


def _fit(card_key: bytes, kinds: Mapping[str, Kind], given: Sequence[Given], today: str, most_bytes: int) -> int:
    """How many of them fit, from the first on."""

    def fits(count: int) -> bool:
        plain = purse.as_json(_content(card_key, kinds, given[:count], today))
        return len(plain) <= purse.PLAIN_BYTES and len(zlib.compress(plain, 9)) <= most_bytes

    low, high = 0, len(given)
    if fits(high):
        return high
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
