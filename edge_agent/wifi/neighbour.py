"""Which device has an IP address, as the kernel's table of neighbours says."""

import ipaddress

import msgspec

from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.elements import checked_address
from edge_agent.wifi.ruleset import interface


class _Neighbour(msgspec.Struct, frozen=True):
    lladdr: str = ""


async def address_of(ip: str, bridge: str) -> str | None:
    """The hardware address (lower case) behind an IPv4 or IPv6 address on a bridge; None when nobody is known there.

    Whoever has just sent a packet is known. Raises ValueError for what is no IP address or no name of an interface.
    """
    told = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(told, ipaddress.IPv6Address) and told.ipv4_mapped:
        told = told.ipv4_mapped
    interface(bridge)
    try:
        listed = await run("ip", "-j", "neigh", "show", "to", str(told), "dev", bridge)
        found = msgspec.json.decode(listed or "[]", type=list[_Neighbour])
        return next((checked_address(one.lladdr) for one in found if one.lladdr), None)
    except (Failed, msgspec.MsgspecError, ValueError):
        return None
