"""Codes of vouchers that were made a moment ago: in memory, for whoever made them, until they are printed.

They are nowhere else.  After half an hour, or with the hub's end, only hashes are left, and a sheet that was lost is
replaced by other codes.
"""

import secrets
import threading
from collections.abc import Sequence
from typing import NamedTuple

from hub.wifi import voucher
from hub.wifi.voucher import Printed
from wire.kit import VOUCHER_LENGTH, VOUCHER_LETTERS

KEPT_MS = 30 * 60_000
# Of so many batches at once: somebody prints one and then makes the next.
_BATCHES = 20


class Kept(NamedTuple):
    """The codes of a batch, who made it, and until when they are kept."""

    who: int
    until_ms: int
    codes: tuple[Printed, ...]


class VoucherCodes:
    """One a hub; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[int, Kept] = {}

    def keep(self, batch_id: int, who: int, codes: Sequence[Printed], now_ms: int) -> None:
        """Keeps the codes of a batch; of too many the oldest goes."""
        with self._lock:
            self._forget(now_ms)
            while len(self._kept) >= _BATCHES:
                del self._kept[min(self._kept)]
            self._kept[batch_id] = Kept(who, now_ms + KEPT_MS, tuple(codes))

    def of(self, batch_id: int, who: int, now_ms: int) -> Kept | None:
        """The codes of a batch, for whoever made it; None when they are gone, or are somebody else's."""
        with self._lock:
            self._forget(now_ms)
            found = self._kept.get(batch_id)
            return found if found is not None and found.who == who else None

    def drop(self, batch_id: int) -> None:
        """They are printed, or of no use any more."""
        with self._lock:
            self._kept.pop(batch_id, None)

    def _forget(self, now_ms: int) -> None:
        # A clock that was put back keeps nothing longer than it was to be.
        gone = [id_ for id_, one in self._kept.items() if not one.until_ms - KEPT_MS <= now_ms < one.until_ms]
        for id_ in gone:
            del self._kept[id_]


def new_codes(count: int) -> list[str]:
    """So many different codes, by chance."""
    found: dict[str, None] = {}
    while len(found) < count:
        found[voucher.code([secrets.randbelow(len(VOUCHER_LETTERS)) for _ in range(VOUCHER_LENGTH)])] = None
    return list(found)
