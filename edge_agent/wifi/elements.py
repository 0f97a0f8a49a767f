"""The elements of sessions in the kernel's tables: values -> lines of nft, and what nft tells -> values.

Each line does what it says whether the element is there or not: to add what is there changes nothing, so an element is
taken away, or given another time, as add, delete(, add) of one transaction.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from edge_agent.wifi.ruleset import TABLE

_ADDRESS = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
# The major number of our queueing disciplines, as tc writes it.
CLASSES = "6d6b"
_LONGEST_S = 10 * 366 * 86_400


class Counted(msgspec.Struct, frozen=True):
    """IP-layer bytes of a session since it was admitted, headers included."""

    up_bytes: int = 0
    down_bytes: int = 0


def checked_address(address: str) -> str:
    """A hardware address in lower case. Raises ValueError for anything else, and for one of a group."""
    lower = address.lower()
    if not _ADDRESS.fullmatch(lower) or int(lower[:2], 16) & 1 or lower == "00:00:00:00:00:00":
        raise ValueError("a device's address is six pairs of hexadecimal digits, of one device")
    return lower


def checked_mark(mark: int) -> int:
    """Raises ValueError for what is no mark of a session."""
    if not 1 <= mark <= 0xFFFFFFFF:
        raise ValueError(f"a mark is between 1 and {0xFFFFFFFF}, and not {mark}")
    return mark


def admission(address: str, mark: int, seconds: int, *, air: bool = False) -> list[str]:
    """Lets a device through for so long from now; counters of the mark that are there go on."""
    key = checked_mark(mark)
    return [*(_add(name, f"{key:#x}") for name in _counters(air=air)), *times(address, mark, seconds)]


def times(address: str, mark: int, seconds: int) -> list[str]:
    """The end of a session is so long from now."""
    key, address = checked_mark(mark), checked_address(address)
    timeout = f"timeout {min(max(int(seconds), 1), _LONGEST_S)}s"
    return [
        *_gone("cid", address, f" : {key:#x}"),
        _add("cid", f"{address} {timeout} : {key:#x}"),
        *_gone("live", f"{key:#x}"),
        _add("live", f"{key:#x} {timeout}"),
    ]


def stop(address: str | None, mark: int) -> list[str]:
    """Lets it through no longer; what was counted stays."""
    key = checked_mark(mark)
    lines = _gone("live", f"{key:#x}")
    return [*_gone("cid", checked_address(address), f" : {key:#x}"), *lines] if address else lines


def forget(mark: int, *, air: bool) -> list[str]:
    """Takes the counters away. `air`: whether there is one behind the queue."""
    key = f"{checked_mark(mark):#x}"
    return [line for name in _counters(air=air) for line in _gone(name, key)]


def speed(mark: int, number: int) -> str:
    """A mark's packets go to this class of `tc`, always the same one."""
    return _add("speed", f"{checked_mark(mark):#x} : {CLASSES}:{number:x}")


def no_speed(mark: int, number: int) -> list[str]:
    """They no longer do; the number is the one that it has."""
    return _gone("speed", f"{checked_mark(mark):#x}", f" : {CLASSES}:{number:x}")


def garden(address: str) -> list[str]:
    """An IP address that the garden's names lead to, for an hour from now. Raises ValueError for what is none."""
    told = ipaddress.ip_address(address)
    return [*_gone(f"garden{told.version}", str(told)), _add(f"garden{told.version}", str(told))]


def restored(counted: Mapping[int, Counted], *, air: bool) -> list[str]:
    """Counters as they stood, for a table that is made anew; those that are there stay as they are."""
    return [
        _add(name, f"{checked_mark(mark):#x} counter packets 0 bytes {c.up_bytes if name == 'up_b' else c.down_bytes}")
        for mark, c in counted.items()
        for name in _counters(air=air)
    ]


def _counters(*, air: bool) -> tuple[str, ...]:
    return ("up_b", "down_b", "down_air") if air else ("up_b", "down_b")


class _Set(msgspec.Struct, frozen=True):
    name: str
    table: str
    elem: list[Any] = []


class _Object(msgspec.Struct, frozen=True):
    set: _Set | None = None
    map: _Set | None = None


class _Listing(msgspec.Struct, frozen=True):
    nftables: list[_Object]


_listing = msgspec.json.Decoder(_Listing)


def read(listing: str) -> dict[str, list[Any]]:
    """`nft -j list …`: the elements of each set and map of ours. Raises ValueError for what is no listing."""
    try:
        found = [told.set or told.map for told in _listing.decode(listing).nftables]
    except msgspec.MsgspecError as error:
        raise ValueError(f"nft told something else than a listing: {error}") from error
    return {one.name: one.elem for one in found if one and one.table == TABLE}


def counted(sets: Mapping[str, Sequence[Any]]) -> dict[int, Counted]:
    """What each mark has used."""
    up, down, air = (dict(_bytes(sets.get(name, ()))) for name in ("up_b", "down_b", "down_air"))
    return {mark: Counted(up.get(mark, 0), air.get(mark, down.get(mark, 0))) for mark in up.keys() | down.keys()}


def seconds_left(sets: Mapping[str, Sequence[Any]]) -> dict[int, int]:
    """How long each mark is let through yet."""
    return {one["elem"]["val"]: one["elem"].get("expires", 0) for one in sets.get("live", ())}


def marks(sets: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    """Each device's mark."""
    return {key["elem"]["val"]: mark for key, mark in sets.get("cid", ())}


def numbers(sets: Mapping[str, Sequence[Any]]) -> dict[int, int]:
    """Each mark's number of a class."""
    return {mark: int(told.partition(":")[2], 16) for mark, told in sets.get("speed", ())}


def _bytes(elements: Sequence[Any]) -> Iterator[tuple[int, int]]:
    for one in elements:
        yield one["elem"]["val"], one["elem"]["counter"]["bytes"]


def _add(name: str, element: str) -> str:
    return f"add element {_family(name)} {TABLE} {name} {{ {element} }}"


def _gone(name: str, key: str, value: str = "") -> list[str]:
    return [_add(name, key + value), f"delete element {_family(name)} {TABLE} {name} {{ {key} }}"]


def _family(name: str) -> str:
    return "bridge" if name == "down_air" else "inet"
