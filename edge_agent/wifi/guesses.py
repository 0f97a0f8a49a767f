"""How often something may be tried: by one device, and by all together, within a sliding time. In memory only."""

from collections import deque
from collections.abc import Callable

# Devices that are remembered; beyond them the one that tried longest ago is forgotten (the bound over all still holds).
_DEVICES = 4096


class Brake:
    """`each` tries of one device and `together` of all within `within_s`; `now_s` is a monotonic clock."""

    def __init__(self, each: int, together: int, within_s: float, now_s: Callable[[], float]) -> None:
        self._each, self._together, self._within_s, self._now_s = each, together, within_s, now_s
        self._all: deque[float] = deque(maxlen=together)
        self._of: dict[str, deque[float]] = {}

    def is_free(self, device: str) -> bool:
        """Whether this device may try now."""
        since = self._now_s() - self._within_s
        mine = self._of.get(device, ())
        return sum(at > since for at in mine) < self._each and sum(at > since for at in self._all) < self._together

    def note(self, device: str) -> None:
        """This device has tried."""
        now = self._now_s()
        mine = self._of.pop(device, None) or deque(maxlen=self._each)
        mine.append(now)
        # Put in anew, so that the first is always who tried longest ago.
        self._of[device] = mine
        self._all.append(now)
        if len(self._of) > _DEVICES:
            del self._of[next(iter(self._of))]

    def take_back(self, device: str) -> None:
        """Its last try was a good one, and does not count."""
        mine = self._of.get(device)
        if mine:
            mine.pop()
            self._all.pop()
