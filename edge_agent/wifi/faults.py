"""What is wrong with a part of the access point now: each thing is logged once when it begins and once when it ends."""

import logging

log = logging.getLogger(__name__)


class Faults:
    """The faults of one part, by a word each (`dnsmasq`, `hostapd`, …). Lives on the event loop."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._now: dict[str, str] = {}

    @property
    def now(self) -> tuple[str, ...]:
        """The words of what is wrong, in the order in which it began."""
        return tuple(self._now)

    def begin(self, name: str, detail: str) -> None:
        """It is wrong; said when it was not, or not in this way."""
        if self._now.get(name) != detail:
            log.warning("%s: %s: %s", self._part, name, detail)
        self._now[name] = detail

    def end(self, name: str) -> None:
        """It is right again, or still."""
        if self._now.pop(name, None) is not None:
            log.warning("%s: %s: well again", self._part, name)

    def put(self, name: str, detail: str) -> None:
        """Wrong where there is a detail, right where there is none."""
        if detail:
            self.begin(name, detail)
        else:
            self.end(name)
