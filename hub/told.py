"""What a record told the hub, once it is read: handed to the domain that keeps it, in the group's own transaction."""

from typing import Any, NamedTuple


class Told(NamedTuple):
    """A record's body as its type, and whose it is; `at_ms` as the device's clock had it, `received_ms` as ours."""

    device_id: int
    device: str
    seq: int
    at_ms: int
    received_ms: int
    body: Any
    boot: str = ""
