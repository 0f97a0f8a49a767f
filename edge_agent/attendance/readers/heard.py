"""What a reader tells: plain frozen values, and the protocol that every kind of reader keeps.

A reader owns its hardware in a thread of its own and hands these values out; no driver's own type leaves it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

Technology = Literal["felica", "type_a", "type_b", "serial", "wedge"]


@dataclass(frozen=True, slots=True)
class CardHeard:
    """A card came into the field: once a visit, however long it stays. `at_mono_ns` is CLOCK_BOOTTIME.

    `proved`: it was asked for a proof that it is genuine, and gave it.
    """

    technology: Technology
    identifier: bytes
    at_mono_ns: int
    proved: bool = False


@dataclass(frozen=True, slots=True)
class TwoCards:
    """More than one card at once: the screen asks for one."""

    at_mono_ns: int


@dataclass(frozen=True, slots=True)
class CardUnreadable:
    """A card that cannot be used: a random identifier, Type B, or none that the reader can tell ("stumbled")."""

    reason: Literal["random_identifier", "type_b", "stumbled"]
    at_mono_ns: int


@dataclass(frozen=True, slots=True)
class ReaderFault:
    """The reader is gone or hangs; told once, until ReaderReady."""

    detail: str


@dataclass(frozen=True, slots=True)
class ReaderReady:
    """The reader listens (again)."""

    name: str


Heard = CardHeard | TwoCards | CardUnreadable | ReaderFault | ReaderReady


class Reader(Protocol):
    """Listens until told to stop; heals itself; never raises for what hardware does."""

    def listen(self, tell: Callable[[Heard], None], stop: threading.Event) -> None:
        """Blocks in the calling thread; `tell` is called from it.

        Returns soon after `stop` is set: within 1 s, or 3 s where the hardware hangs.
        """
        ...
