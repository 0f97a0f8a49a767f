"""Topic names: `machinaka/1/<device>/<leaf>`.  The broker ties `<device>` to the sender's certificate."""

import re
from typing import Literal, NamedTuple

ROOT = "machinaka/1"
Leaf = Literal["up", "presence", "ack", "down"]
LEAVES: tuple[Leaf, ...] = ("up", "presence", "ack", "down")

# A DNS label: it is a host name, a certificate's common name and one level of a topic.
_DEVICE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Address(NamedTuple):
    """Whose topic it is and which of the four."""

    device: str
    leaf: Leaf


def is_device(name: str) -> bool:
    """Whether `name` can be a device's: a lower-case DNS label of at most 63 characters."""
    return _DEVICE.fullmatch(name) is not None


def topic(device: str, leaf: Leaf) -> str:
    """The topic of a device. Raises ValueError for a name that is none (it could reach another's topic)."""
    if not is_device(device):
        raise ValueError(f"device {device!r} is not a lower-case DNS label")
    return f"{ROOT}/{device}/{leaf}"


def parse(name: str) -> Address | None:
    """The address in a topic, or None when it is not one of ours."""
    parts = name.split("/")
    if len(parts) != 4 or "/".join(parts[:2]) != ROOT:
        return None
    device, leaf = parts[2:]
    if leaf not in LEAVES or not is_device(device):
        return None
    return Address(device, leaf)


def every(leaf: Leaf) -> str:
    """The filter with which the hub subscribes to one leaf of all devices."""
    return f"{ROOT}/+/{leaf}"
