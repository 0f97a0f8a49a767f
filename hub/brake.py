"""Slows guessing down (rule; the clock is given).

1. An attempt counts as failed before the password is looked at, so that many at once are not one.
2. After its free failures a name or an address waits, twice as long each time, at most 15 minutes.
3. A town hall often comes from one address: an address has more free failures than a name.
4. The right password forgets the name's failures and takes this attempt off the address.
   Codes are counted by themselves: whoever guesses them has the password already.
5. An hour without a failure forgets.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import msgspec

Key = tuple[Literal["name", "code", "address"], str]

_FREE = {"name": 5, "code": 5, "address": 30}
_LONGEST_S = 900
_FORGET_S = 3600
_KEYS = 10_000


class _Failures(msgspec.Struct, frozen=True):
    """How many, when the last was, until when the key waits (seconds of the given clock)."""

    count: int
    last_s: float
    until_s: float


_NONE = _Failures(0, 0.0, 0.0)


class Brake:
    """Counts failures by key. Used from many threads; one a hub."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._failures: OrderedDict[Key, _Failures] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, *keys: Key) -> int:
        """How many seconds to wait; with 0 the attempt may be made, and counts as failed until `succeeded`."""
        now_s = self._clock_s()
        with self._lock:
            wait_s = max(0, *(int(self._of(key, now_s).until_s - now_s + 0.999) for key in keys))
            if not wait_s:
                for key in keys:
                    self._fail(key, now_s)
            return wait_s

    def succeeded(self, *keys: Key) -> None:
        """The password was right."""
        with self._lock:
            for key in keys:
                before = self._failures.pop(key, _NONE)
                if key[0] == "address" and before.count > 1:
                    self._failures[key] = _Failures(before.count - 1, before.last_s, 0.0)

    def _of(self, key: Key, now_s: float) -> _Failures:
        found = self._failures.get(key, _NONE)
        return found if now_s - found.last_s < _FORGET_S else _NONE

    def _fail(self, key: Key, now_s: float) -> None:
        count = self._of(key, now_s).count + 1
        over = count - _FREE[key[0]]
        pause_s = min(_LONGEST_S, 2 ** min(over, 20)) if over >= 0 else 0
        self._failures[key] = _Failures(count, now_s, now_s + pause_s)
        self._failures.move_to_end(key)
        if len(self._failures) > _KEYS:
            self._failures.popitem(last=False)
