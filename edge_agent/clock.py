"""What time it is, and how far that can be trusted.  (Stub of the types; the rest follows.)"""

from typing import NamedTuple

from wire.messages import ClockQuality


class Stamp(NamedTuple):
    """When something happened: kernel's boot id, ms since that boot, wall clock in UTC ms, its quality."""

    boot: str
    mono_ms: int
    at_ms: int
    clock: ClockQuality
