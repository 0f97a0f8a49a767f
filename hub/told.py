"""What a record told the hub, once it is read: handed to the domain that keeps it, in the group's own transaction."""

from typing import Any, NamedTuple


class Told(NamedTuple):
    """A record's body as its type, and whose it is; `at_ms` as the device's clock had it, `received_ms` as ours.

    What counters need besides: the boot's number at the hub, the lane, the time since the boot, the clock's quality;
    and `at_ms` is then the true time as far as it is known by now.
    """

    device_id: int
    device: str
    seq: int
    at_ms: int
    received_ms: int
    body: Any
    boot: str = ""
    boot_id: int = 0
    lane_id: int = 0
    mono_ms: int = 0
    clock: int = 0
