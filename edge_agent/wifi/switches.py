"""The kernel's own switches for guests' packets: forwarding only after rules stand, and ports of the bridge apart."""

import logging
from pathlib import Path

import msgspec

from edge_agent.wifi import ruleset
from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.ruleset import Plan

_log = logging.getLogger(__name__)
_KERNEL = Path("/proc/sys/net")
# Frames within the bridge are the bridge's: through these they would meet rules meant for what is routed.
_BRIDGED = tuple(f"bridge/bridge-nf-call-{table}" for table in ("iptables", "ip6tables", "arptables"))


def let_through(plan: Plan) -> None:
    """Switches forwarding on. Called once rules stand: a device that has just begun forwards nothing of anybody."""
    for switch in _BRIDGED:
        _set(switch, "0")
    _set(f"ipv4/conf/{plan.guests}/send_redirects", "0")
    _set("ipv4/ip_forward", "1")
    if plan.ipv6:
        # A router hears no router, unless told: the uplink's own address comes from one.
        _set(f"ipv6/conf/{plan.uplink}/accept_ra", "2")
        _set("ipv6/conf/all/forwarding", "1")


def _set(switch: str, value: str) -> None:
    path = _KERNEL / switch
    try:
        if path.read_text().strip() != value:
            path.write_text(value)
    except FileNotFoundError:
        return  # a kernel without this has nothing to switch
    except OSError as error:
        _log.warning("%s is not %s: %s", path, value, error.strerror)


class _Link(msgspec.Struct, frozen=True):
    ifname: str


async def ports(bridge: str) -> list[str]:
    """The interfaces in a bridge. Raises Failed."""
    told = await run("ip", "-j", "link", "show", "master", bridge)
    return [link.ifname for link in msgspec.json.decode(told or "[]", type=list[_Link])]


async def isolate(plan: Plan) -> None:
    """No frame goes from one guest to another: by a rule for the bridge where the kernel has one, and by its ports.

    Asked again when a port comes (hostapd makes one when it begins): the rule needs no asking, the ports do.
    """
    try:
        await run("nft", "-f", "-", given=ruleset.isolation(plan))
    except Failed:
        _log.info("guests are kept apart by the bridge's ports: this kernel has no rule for a whole bridge")
    try:
        for port in await ports(plan.guests):
            await run("bridge", "link", "set", "dev", port, "isolated", "on")
    except Failed as error:
        _log.warning("the ports of %s are not kept apart: %s", plan.guests, error)
