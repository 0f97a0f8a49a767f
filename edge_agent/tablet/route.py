"""Access: over which interface this machine reaches the world, where no NetworkManager says so."""

from pathlib import Path

_DEFAULT4, _DEFAULT6 = "00000000", "0" * 32
# RTF_UP and RTF_REJECT of linux/route.h: a route that refuses leads nowhere.
_UP, _REJECT = 0x1, 0x200


def default_interface(proc: Path = Path("/proc")) -> str:
    """The interface of the cheapest default route (IPv4 before IPv6); empty where there is none."""
    routes = [*_of_ipv4(_lines(proc / "net/route")), *_of_ipv6(_lines(proc / "net/ipv6_route"))]
    return min(routes, default=(0, 0, ""))[2]


def _of_ipv4(lines: list[list[str]]) -> list[tuple[int, int, str]]:
    """As fib_route_seq_show writes them: Iface Destination Gateway Flags RefCnt Use Metric Mask …"""
    return [
        (4, int(one[6]), one[0])
        for one in lines[1:]
        if len(one) >= 8 and one[1] == one[7] == _DEFAULT4 and _leads(one[3])
    ]


def _of_ipv6(lines: list[list[str]]) -> list[tuple[int, int, str]]:
    """As rt6_info_route writes them: destination, length, source, length, next hop, metric, …, flags, interface."""
    return [
        (6, int(one[5], 16), one[9])
        for one in lines
        if len(one) >= 10 and one[0] == _DEFAULT6 and one[1] == "00" and _leads(one[8]) and one[9] != "lo"
    ]


def _leads(flags: str) -> bool:
    found = int(flags, 16)
    return bool(found & _UP) and not found & _REJECT


def _lines(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text(encoding="ascii", errors="replace").splitlines()]
    except OSError:
        return []
