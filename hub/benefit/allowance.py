"""How much a device may take on its own (rule), and how much may thereby be taken without the hub knowing.

1. Each device that serves an account may take what is left of it, at most `offline_units`: somebody is served wherever
   they come, also where the hub cannot be asked.  So the same units may be promised at several devices.
2. A limit is cumulative: it counts everything that was ever taken at this device.  What the hub has not heard of yet is
   therefore inside it, and is never given twice at one device.
3. What a device may still take unheard is its exposure: the largest limit that it may go by, less what it said it took.
   A limit that was lowered counts only once the device has said, in the lane of its uses, that it goes by the new one.
   Time alone frees nothing: what was taken before the end may still be told after it.
4. The most that can be taken over an account is the exposure of all its devices less what is left of it.  That bound is
   shown; it is at most (devices - 1) * `offline_units` while nothing is taken back or ended.
5. An allowance ends with a day in Japan, `offline_days` after today, and no later than a grant that it
   stands on.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from hub import shown
from hub.benefit.benefit import Account, Kind


class Held(msgspec.Struct, frozen=True):
    """What a device was given: a limit of `limit` units in all until `until_ms`, of which it says it has taken `used`;
    `bound` is the largest limit that it may still go by, `balance` what it was told to be left everywhere."""

    limit: int
    until_ms: int
    used: int
    bound: int
    balance: int = 0


class Wanted(msgspec.Struct, frozen=True):
    """What a device is to have now."""

    limit: int
    until_ms: int
    balance: int


def exposure(held: Held) -> int:
    """Units that may be taken at this device, or were already, without the hub knowing."""
    return max(0, held.bound - held.used)


def over_at_worst(balance: int, exposures: Iterable[int]) -> int:
    """Units that can be taken over what is left, if every device takes all that it may."""
    return max(0, sum(exposures) - max(0, balance))


def wanted(kind: Kind, account: Account, held: Held, today: str, *, serves: bool) -> Wanted:
    """What a device is to have. `serves`: it takes benefits, and the resident has a card."""
    balance = account.balance(today)
    more = min(balance, kind.offline_units) if serves and kind.is_on(today) else 0
    until_ms = _until_ms(kind, account, today) if more else held.until_ms
    return Wanted(held.used + more, until_ms, balance)


def following(held: Held, now: Wanted) -> Held | None:
    """What stands from now on; None when nothing changes.  A limit that falls still binds the hub until it is heard."""
    if (now.limit, now.until_ms, now.balance) == (held.limit, held.until_ms, held.balance):
        return None
    return Held(now.limit, now.until_ms, held.used, max(held.bound, now.limit), now.balance)


def _until_ms(kind: Kind, account: Account, today: str) -> int:
    last = (date.fromisoformat(today) + timedelta(days=kind.offline_days)).isoformat()
    ends = [last, kind.to_day or last, account.first_end(today) or last]
    return shown.day_start_ms(date.fromisoformat(min(ends)) + timedelta(days=1))
