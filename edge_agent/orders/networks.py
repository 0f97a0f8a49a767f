"""What a Wi-Fi scan found, out of what `nmcli` or `iw` print (rule)."""

import re
from collections.abc import Iterable
from typing import NamedTuple

# As many as somebody reads, and a result holds.
_MOST = 25


class Network(NamedTuple):
    """One network: its name, channel and strength in per cent (nmcli) or dBm (iw), as text."""

    name: str
    channel: str
    strength: str


def from_nmcli(text: str) -> list[Network]:
    """`nmcli -t -f SSID,CHAN,SIGNAL device wifi list`: fields between colons, escaped by a backslash."""
    found = []
    for line in text.splitlines():
        parts = [part.replace("\\:", ":").replace("\\\\", "\\") for part in re.split(r"(?<!\\):", line)]
        if len(parts) == 3:
            found.append(Network(parts[0], parts[1], f"{parts[2]} %"))
    return found


def from_iw(text: str) -> list[Network]:
    """`iw dev <interface> scan`: a block for each, opened by `BSS <address>`."""
    found: list[Network] = []
    for block in re.split(r"^BSS ", text, flags=re.MULTILINE)[1:]:
        name = re.search(r"^\s*SSID: ?(.*)$", block, re.MULTILINE)
        channel = re.search(r"(?:DS Parameter set: channel|\* primary channel:) (\d+)", block)
        strength = re.search(r"^\s*signal: (-?[\d.]+ dBm)", block, re.MULTILINE)
        found.append(Network(*(match[1].strip() if match else "" for match in (name, channel, strength))))
    return found


def written(found: Iterable[Network]) -> str:
    """A line for each network: strength, channel, name."""
    lines = [f"{one.strength or '?'}  ch {one.channel or '?'}  {_shown(one.name)}" for one in found]
    more = [f"… {len(lines) - _MOST}"] if len(lines) > _MOST else []
    return "\n".join(lines[:_MOST] + more)


def _shown(name: str) -> str:
    """A network's name is whatever its owner wrote: control characters are not shown, and 32 bytes are the most."""
    return "".join(character if character.isprintable() else "?" for character in name[:40]) or "-"
