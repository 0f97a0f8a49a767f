"""Access: what hostapd sends out now: each network's name, whether it is enabled, how many devices are on it."""

import re
from collections.abc import Mapping

from edge_agent.wifi.air import Air
from edge_agent.wifi.hostapd import NoHostapd, Refused
from wire.messages import Network

_NAME, _MOST = 200, 8
# hostapd writes a name's bytes so (wpa_supplicant's `printf_encode`).
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)
_ESCAPED = {b"e": b"\x1b", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


async def networks(air: Air, security: Mapping[str, str]) -> tuple[Network, ...]:
    """The networks, by interface; none where hostapd is away. `security` is what each name was made with."""
    try:
        interfaces = await air.interfaces()
    except (NoHostapd, Refused):
        return ()
    found = [await _network(air, name, security) for name in sorted(interfaces)[:_MOST]]
    return tuple(one for one in found if one is not None)


async def _network(air: Air, interface: str, security: Mapping[str, str]) -> Network | None:
    try:
        said = await air.control(interface).status()
    except (NoHostapd, Refused):
        return None
    name = _name(said.get("ssid[0]", ""))[:_NAME]
    on_air = said.get("state") == "ENABLED"
    stations, channel = _whole(said.get("num_sta[0]")), _whole(said.get("channel"))
    return Network(name, on_air, security.get(name, ""), stations, channel)


def _name(told: str) -> str:
    def plain(found: re.Match[bytes]) -> bytes:
        what = found[1]
        return bytes.fromhex(what[1:].decode()) if len(what) == 3 else _ESCAPED.get(what, what)

    return _ESCAPE.sub(plain, told.encode("utf-8", "replace")).decode("utf-8", "replace")


def _whole(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else 0
