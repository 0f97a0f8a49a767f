"""Rule: which kind of link an interface is, and which counters go into a usage record.

1. What the kernel says stands above the name; a name only decides where the kernel is silent.
2. Loopback is left out: it never leaves the device.
3. A virtual interface that carries what another one carries too (bridge, bond, VLAN, veth) is `other`,
   so that no byte is counted twice by link.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wire.messages import Interface, Usage

Link = Literal["wifi", "mobile", "wired", "tunnel", "other"]

INTERFACES = 64

# ARPHRD_* of linux/if_arp.h, as /sys/class/net/<name>/type shows them.
_ETHERNET = 1
_PPP = 512
_LOOPBACK = 772
_TUNNELS = frozenset({768, 769, 776, 778, 823, 65534})

_DEVTYPES: dict[str, Link] = {
    "wlan": "wifi",
    "wwan": "mobile",
    "wireguard": "tunnel",
    "bridge": "other",
    "bond": "other",
    "vlan": "other",
}

# Modems, and USB sticks and telephones that pass for an Ethernet adapter.
_MOBILE_DRIVERS = frozenset(
    {"qmi_wwan", "cdc_mbim", "huawei_cdc_ncm", "sierra_net", "cdc_ether", "rndis_host", "ipheth"}
)

_PREFIXES: tuple[tuple[str, Link], ...] = (
    ("wlan", "wifi"),
    ("wl", "wifi"),
    ("wwan", "mobile"),
    ("ww", "mobile"),
    ("rmnet", "mobile"),
    ("ppp", "mobile"),
    ("tun", "tunnel"),
    ("tap", "tunnel"),
    ("wg", "tunnel"),
    ("tailscale", "tunnel"),
    ("eth", "wired"),
    ("en", "wired"),
)

_ORDER: tuple[Link, ...] = ("mobile", "wifi", "wired", "tunnel", "other")


@dataclass(frozen=True, slots=True)
class Facts:
    """What /sys/class/net/<name>/ tells of an interface; empty or None where it is silent."""

    type: int | None = None
    devtype: str = ""
    driver: str = ""
    wireless: bool = False
    tun: bool = False
    physical: bool = False


@dataclass(frozen=True, slots=True)
class Counters:
    """An interface and its bytes since it appeared."""

    name: str
    rx_bytes: int
    tx_bytes: int
    facts: Facts = Facts()


def link_of(name: str, facts: Facts) -> Link:
    """The kind of link that `name` is."""
    return _by_kernel(facts) or _by_name(name, facts)


def usage_of(counters: Iterable[Counters]) -> Usage:
    """The usage record of all interfaces but loopback; of more than 64, those that matter to a bill stay."""
    interfaces = [
        Interface(one.name, one.rx_bytes, one.tx_bytes, link_of(one.name, one.facts))
        for one in counters
        if one.name != "lo" and one.facts.type != _LOOPBACK
    ]
    interfaces.sort(key=lambda one: (_ORDER.index(one.link), one.name))
    return Usage(tuple(interfaces[:INTERFACES]))


def _by_kernel(facts: Facts) -> Link | None:
    if facts.wireless:
        return "wifi"
    if facts.devtype in _DEVTYPES:
        return _DEVTYPES[facts.devtype]
    if facts.tun or facts.type in _TUNNELS:
        return "tunnel"
    if facts.type == _PPP or facts.driver in _MOBILE_DRIVERS:
        return "mobile"
    if facts.physical and facts.type == _ETHERNET:
        return "wired"
    return None


def _by_name(name: str, facts: Facts) -> Link:
    named: list[Link] = [link for prefix, link in _PREFIXES if name.startswith(prefix)]
    link: Link = named[0] if named else "other"
    # A virtual machine's or container's eth0 has no hardware behind it and is its only way out all the same.
    return link if link != "wired" or facts.type in {None, _ETHERNET} else "other"
