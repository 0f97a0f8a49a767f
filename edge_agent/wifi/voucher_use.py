"""Rule: on how many devices a voucher was used, and how much of its time each has left.

1. A voucher's time runs from its first use on a device; who comes back within it goes on with the rest.
2. It is used on so many devices as are printed on it. A device is known for a day only (its pseudonym changes): on a
   later day whoever holds the code takes over a use of an earlier day, with what is left of it and not more. So a
   voucher never lasts longer, nor serves more devices at once, than was printed.
3. Over a restart of the machine the wall clock says how much is left, once and never more than was printed.
4. Nothing here is the code: a use names the voucher's id.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge_agent.clock import Stamp
from wire.kit import Voucher

Refusal = Literal["voucher_used", "voucher_over"]


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """One use of a voucher, by the pseudonym of the day on which it was last seen. `ends_mono_ms` is of `boot`;
    `most_ms` was left when this was written."""

    voucher: str
    place: int
    guest: str
    day: str
    boot: str
    ends_mono_ms: int
    ends_ms: int
    most_ms: int


def left_ms(use: Use, now: Stamp) -> int:
    """How much of its time is left."""
    if use.boot == now.boot:
        return max(0, use.ends_mono_ms - now.mono_ms)
    return max(0, min(use.most_ms, use.ends_ms - now.at_ms))


def use(
    voucher: Voucher, uses: Sequence[Use], guests: Sequence[tuple[str, str]], now: Stamp, *, busy: frozenset[str]
) -> Use | Refusal:
    """The use that a device makes of a voucher now, or why it makes none.

    `guests` are the device's (day, pseudonym), today's first; `busy` the pseudonyms with an open session on it.
    """
    today, guest = guests[0]
    mine = next((one for one in uses if (one.day, one.guest) in guests), None)
    if mine is not None:
        return _taken(mine, today, guest, now) if left_ms(mine, now) else "voucher_used"
    if len(uses) < voucher.devices:
        if now.clock != "unset" and now.at_ms > voucher.until_ms:
            return "voucher_over"
        lasts = voucher.minutes * 60_000
        return Use(voucher.id, len(uses), guest, today, now.boot, now.mono_ms + lasts, now.at_ms + lasts, lasts)
    for one in uses:
        if one.day < today and one.guest not in busy and left_ms(one, now):
            return _taken(one, today, guest, now)
    return "voucher_used"


def of_this_boot(use: Use, now: Stamp) -> Use:
    """The same by the monotonic clock of this boot, from now on."""
    left = left_ms(use, now)
    return msgspec.structs.replace(
        use, boot=now.boot, ends_mono_ms=now.mono_ms + left, ends_ms=now.at_ms + left, most_ms=left
    )


def _taken(one: Use, day: str, guest: str, now: Stamp) -> Use:
    return msgspec.structs.replace(of_this_boot(one, now), day=day, guest=guest)
