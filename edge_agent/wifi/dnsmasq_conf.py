"""Rule: the text of dnsmasq's configuration: addresses and names for guests.

1. The address of the portal's API is told by DHCPv4 (option 114) and DHCPv6 (option 103) unasked (RFC 8910); the third
   way, router advertisements, is our own (`advert.py`): dnsmasq knows no option 37.
2. Nothing about a guest is written to a disk or a log: no log of queries or leases, no names that guests give
   themselves, and the leases lie in the agent's folder in memory.
3. The portal's name leads here over IPv4 and IPv6. Names that lead into private networks are the firewall's business:
   dnsmasq would write the name that a guest asked for into its log.
4. Names of the garden put what they lead to into the firewall's sets; who may go there is judged again by name.
5. Only checked values become text: no name, address or URI can end its line or its field.
"""

import ipaddress
import re
from collections.abc import Sequence

import msgspec

from edge_agent.settings import WifiSettings
from edge_agent.wifi.wanted import Wanted

# A phone that only walks by holds an address so long: 1,000 addresses serve 2,000 newcomers an hour.
LEASE_MINUTES = 30
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}\Z")
_HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
# RFC 3986, without what parts fields or begins a comment there.
_URI = re.compile(r"[a-z][a-z0-9+.-]{0,30}:[A-Za-z0-9._~:/?@!$&()*+;=%-]{1,254}\Z")
_PATH = re.compile(r"/[A-Za-z0-9._/ -]{1,200}\Z")
_URI_BYTES = 255
_MOST_LEASES = 4000


class BadServices(Exception):
    """What no configuration can be made of; one sentence."""


class Pool(msgspec.Struct, frozen=True):
    """Addresses given to guests; `probe` is kept back for the access point's own trials."""

    first: str
    last: str
    probe: str
    netmask: str
    own: str
    count: int


def pool(ipv4: str) -> Pool:
    """The larger part of the network beside this device's own address. Raises BadServices."""
    try:
        own = ipaddress.IPv4Interface(ipv4)
    except ValueError as error:
        raise BadServices(f"wifi.ipv4 is {ipv4!r}; expected an address with its network, 10.77.0.1/22") from error
    if own.network.prefixlen > 28:
        raise BadServices(f"wifi.ipv4 is {ipv4!r}: the network is too small for guests; expected /28 or larger")
    lowest, highest = int(own.network.network_address) + 1, int(own.network.broadcast_address) - 1
    here = int(own.ip)
    first, last = (here + 1, highest) if highest - here >= here - lowest else (lowest, here - 1)
    words = [str(ipaddress.IPv4Address(number)) for number in (first, last - 1, last)]
    return Pool(words[0], words[1], words[2], str(own.network.netmask), str(own.ip), last - first)


def text(wanted: Wanted, wifi: WifiSettings, *, resolv_file: str = "") -> str:
    """The whole file. Raises BadServices."""
    addresses = pool(wifi.ipv4)
    lines = [
        "# Written by the access point's agent; what is changed here is reported and put back.",
        *_fixed(wifi, resolv_file),
        *_leases(addresses, wifi),
        *_six(wifi),
        *_portal(wanted, addresses, wifi),
        *_garden(wanted.garden),
    ]
    return "\n".join([*lines, ""])


def _fixed(wifi: WifiSettings, resolv_file: str) -> list[str]:
    if not _INTERFACE.match(wifi.guests):
        raise BadServices(f"wifi.guests is {wifi.guests!r}; expected the name of a bridge")
    lines = [
        f"interface={wifi.guests}",
        "except-interface=lo",
        "bind-dynamic",
        "no-hosts",
        "domain-needed",
        "bogus-priv",
        "cache-size=2000",
        "dns-forward-max=300",
        "edns-packet-max=1232",
        "quiet-dhcp",
        "quiet-dhcp6",
        "log-facility=-",
        "pid-file=",
    ]
    return [*lines, f"resolv-file={_path(resolv_file)}"] if resolv_file else lines


def _leases(addresses: Pool, wifi: WifiSettings) -> list[str]:
    return [
        f"dhcp-range={addresses.first},{addresses.last},{addresses.netmask},{LEASE_MINUTES}m",
        f"dhcp-option=option:router,{addresses.own}",
        f"dhcp-option=option:dns-server,{addresses.own}",
        f"dhcp-lease-max={min(addresses.count, _MOST_LEASES)}",
        f"dhcp-leasefile={_path(wifi.run_dir)}/dnsmasq.leases",
        "dhcp-authoritative",
        "dhcp-ignore-names",
        # The trial of an address takes three seconds in which a guest has none; nobody else gives addresses here.
        "no-ping",
    ]


def _six(wifi: WifiSettings) -> list[str]:
    if not wifi.ipv6:
        return []
    own = _own6(wifi)
    # Addresses are made by the devices themselves; `static` tells only the options (RFC 8415, stateless).
    return [
        f"dhcp-range={own.network.network_address},static,{own.network.prefixlen},{LEASE_MINUTES}m",
        f"dhcp-option=option6:dns-server,[{own.ip}]",
    ]


def _portal(wanted: Wanted, addresses: Pool, wifi: WifiSettings) -> list[str]:
    lines: list[str] = []
    if wanted.portal_host:
        host = _host(wanted.portal_host)
        six = f",{_own6(wifi).ip}" if wifi.ipv6 else ""
        lines.append(f"host-record={host},{addresses.own}{six}")
        # Whatever else is asked about the name (HTTPS records) is answered here, and not by a server outside.
        lines.append(f"local=/{host}/")
    if wanted.uri:
        if not _URI.match(wanted.uri) or len(wanted.uri) > _URI_BYTES:
            raise BadServices(f"the URI {wanted.uri[:80]!r} is none that can be told; at most {_URI_BYTES} bytes")
        lines.append(f"dhcp-option-force=114,{wanted.uri}")
        if wifi.ipv6:
            lines.append(f"dhcp-option-force=option6:103,{wanted.uri}")
    return lines


def _garden(names: Sequence[str]) -> list[str]:
    into = "4#inet#machinaka#garden4,6#inet#machinaka#garden6"
    return [f"nftset=/{_host(name)}/{into}" for name in names]


def _host(name: str) -> str:
    if not _HOST.match(name) or len(name) > 253:
        raise BadServices(f"{name[:80]!r} is no name of a host")
    return name


def _own6(wifi: WifiSettings) -> ipaddress.IPv6Interface:
    try:
        return ipaddress.IPv6Interface(wifi.ipv6)
    except ValueError as error:
        raise BadServices(f"wifi.ipv6 is {wifi.ipv6!r}; expected an address with its network") from error


def _path(path: str) -> str:
    if not _PATH.match(path):
        raise BadServices(f"{path[:80]!r} is no path that can stand in dnsmasq's file")
    return path
