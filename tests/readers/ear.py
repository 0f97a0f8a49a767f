"""Listens to a reader as the terminal does: in a thread, values in the order in which they are told."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from edge_agent.attendance.readers.heard import CardHeard, CardUnreadable, Heard, Reader, ReaderFault, ReaderReady
from edge_agent.attendance.readers.visit import AWAY_NS

PATIENCE_S = 60.0


class Ear:
    """What a reader told. Ends its thread, and fails when that does not end."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._heard: list[Heard] = []
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def _listen(self) -> None:
        try:
            self._reader.listen(self._tell, self._stop)
        except Exception as error:  # noqa: BLE001 (raised again where the test waits)
            with self._changed:
                self._error = error
                self._changed.notify_all()

    def _tell(self, heard: Heard) -> None:
        with self._changed:
            self._heard.append(heard)
            self._changed.notify_all()

    def __enter__(self) -> "Ear":
        """Begins to listen."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ends the reader's thread."""
        self.stop()

    def stop(self) -> None:
        """Ends the reader's thread; nothing may have escaped from it."""
        self._stop.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the reader does not end"
        assert self._error is None, f"{self._error!r} escaped from the reader"

    @property
    def heard(self) -> list[str]:
        """What was told so far, in words (see `said`)."""
        with self._changed:
            return [said(one) for one in self._heard]

    def until(self, holds: Callable[[list[str]], bool]) -> list[str]:
        """What was told, once `holds` is true of it; fails when that never comes."""
        with self._changed:
            self._changed.wait_for(lambda: self._error or holds([said(one) for one in self._heard]), PATIENCE_S)
            assert self._error is None, f"{self._error!r} escaped from the reader"
            told = [said(one) for one in self._heard]
        assert holds(told), f"not told in {PATIENCE_S:g} s; told was {told}"
        return told

    def until_told(self, *words: str) -> None:
        """Waits for exactly these, in this order and nothing else."""
        told = self.until(lambda told: len(told) >= len(words))
        assert told == list(words), f"told was {told}, expected {list(words)}"


def said(heard: Heard) -> str:
    """A value in words: `felica 012e…`, `two cards`, `random_identifier`, `fault`, `ready`."""
    match heard:
        case CardHeard(technology, identifier, _):
            return f"{technology} {identifier.hex()}"
        case CardUnreadable(reason, _):
            return reason
        case ReaderFault():
            return "fault"
        case ReaderReady():
            return "ready"
    return "two cards"


def wait_until(holds: Callable[[], object], what: str) -> None:
    """Waits for a condition with generous patience; fails with `what` when it never comes."""
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end_s, f"never came: {what}"
        time.sleep(0.01)


class Living(Protocol):
    """A reader with its sign of life."""

    last_alive_ns: int


def rest(reader: Living) -> None:
    """Waits until the reader has noticed that cards went and has listened long enough, however busy this machine is."""
    signs(reader, 3)
    long_enough_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + AWAY_NS
    wait_until(lambda: reader.last_alive_ns > long_enough_ns, "the reader's sign of life")
    signs(reader, 2)  # the first may have begun to listen before


def signs(reader: Living, count: int) -> None:
    """Waits for so many signs of life."""
    for _ in range(count):
        _next_sign(reader)


def _next_sign(reader: Living) -> None:
    last_ns = reader.last_alive_ns
    wait_until(lambda: reader.last_alive_ns != last_ns, "the reader's sign of life")
