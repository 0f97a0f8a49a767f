"""What the kernel is told of guests' packets: a plan -> the text of one nft transaction.

1. A session is a mark, 32 bits. `cid` gives a device's address (MAC) its mark, so every IPv4 and IPv6 address that a
   phone makes for itself lands on one session. Mark 0 is a captive client.
2. `cid` and `live` have timeouts: the kernel ends a session, also when the agent is dead. `up_b` and `down_b` count the
   IP bytes of each mark and have none; what they counted is taken away by whoever has read it. `down_air` counts again
   what leaves by the bridge, behind the queue of a session's speed: what that drops was never sent to the guest.
3. Rules are thrown away and written again in one transaction; sets and maps stay as they are, with their elements,
   remaining times and counters. Nothing that is counted passes through this process on a reload.
4. Port 80 of a captive client goes to this device. 443 is refused with a reset and never intercepted.
5. A guest reaches the uplink, and this device by name of what it needs; no other guest, no office, no other interface.
6. What stands here is text made of checked values only: interfaces, networks, ports. Nothing else becomes part of it.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import Literal

import msgspec

TABLE = "machinaka"
# What one device may have: connections to this device and, when it is let on, through it; questions of names, and of
# the time, before it is let on. So one guest cannot keep another out, nor carry much in what is open to all.
_HERE_N = "ether saddr ct count over 64"
_THROUGH_N = "meta mark ct count over 2048"
_ASKING = "ether saddr limit rate over 30/second burst 90 packets"
_CLOCK = "ether saddr limit rate 30/minute burst 20 packets"
_OVER = "limit rate 50/second burst 50 packets"
_NEIGHBOURS = (
    *("nd-router-solicit", "nd-neighbor-solicit", "nd-neighbor-advert"),
    *("mld-listener-report", "mld2-listener-report"),
)
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}")
_NEVER4 = ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4")
_NEVER6 = ("::/127", "fe80::/10", "ff00::/8")
_NAT64 = int(ipaddress.IPv6Address("64:ff9b::"))

Mode = Literal["captive", "open", "closed"]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Plan(msgspec.Struct, frozen=True):
    """How guests are to be treated. `ipv4` and `ipv6` are this device's address in their network, with its length.

    Modes: `captive`, a login first; `open`, none (a disaster: isolation and the office's wall stay); `closed`, nobody
    gets on, and the portal can say so. `garden`: names that may be reached before a login pass through the two ports.
    """

    guests: str
    uplink: str
    ipv4: str
    ipv6: str = ""
    office: tuple[str, ...] = ()
    http_port: int = 80
    https_port: int = 443
    garden: bool = False
    mode: Mode = "captive"
    garden_http_port: int = 8081
    garden_https_port: int = 8444


def interface(name: str) -> str:
    """The name of a network interface. Raises ValueError for what is none."""
    if not _INTERFACE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a network interface")
    return name


def check(plan: Plan) -> None:
    """Raises ValueError, a sentence, for a plan that cannot be put into words of nft."""
    interface(plan.guests)
    interface(plan.uplink)
    if plan.guests == plan.uplink:
        raise ValueError(f"guests and uplink are both {plan.guests!r}: guests need a bridge of their own")
    if plan.mode not in ("captive", "open", "closed"):
        raise ValueError(f"mode: {plan.mode!r} is not captive, open or closed")
    for port in (plan.http_port, plan.https_port, plan.garden_http_port, plan.garden_https_port):
        if not 1 <= port <= 65535:
            raise ValueError(f"port: {port} is not between 1 and 65535")
    ipaddress.IPv4Interface(plan.ipv4)
    if plan.ipv6:
        ipaddress.IPv6Interface(plan.ipv6)
    for network in plan.office:
        ipaddress.ip_network(network)


def transaction(plan: Plan) -> str:
    """The whole text for `nft -f -`: what holds sessions is made when it is not there, the rules are written anew."""
    check(plan)
    return f"{_STATE}flush table inet {TABLE}\n{_block(f'inet {TABLE}', chains(plan))}"


def behind_queue() -> str:
    """The text that counts downloads once more, after the bridge's own queue. Not every kernel has such a hook."""
    count = {"output": ("type filter hook output priority filter; policy accept;", ["meta mark @down_air accept"])}
    state = f"table bridge {TABLE} {{\n\tset down_air {{ type mark; size 65535; counter; }}\n}}\n"
    return f"{state}flush table bridge {TABLE}\n{_block(f'bridge {TABLE}', count)}"


def isolation(plan: Plan) -> str:
    """The text that keeps the bridge from carrying a frame from one guest to another, whichever port it came by."""
    check(plan)
    drop = f'meta ibrname "{plan.guests}" drop'
    wall = {"forward": ("type filter hook forward priority filter; policy accept;", [drop])}
    table = f"bridge {TABLE}_apart"
    return f"add table {table}\nflush table {table}\n{_block(table, wall)}"


Chains = dict[str, tuple[str, list[str]]]


def chains(plan: Plan) -> Chains:
    """Each chain: its hook (empty for one that is jumped to) and its rules."""
    check(plan)
    guests, uplink = f'"{plan.guests}"', f'"{plan.uplink}"'
    return {
        "captive": ("", _captive()),
        "guests_through": ("", _through(plan)),
        "guests_back": ("", _back(plan)),
        "guests_here": ("", _here(plan)),
        "guests_mark": ("", _mark(plan)),
        "prerouting": (
            "type filter hook prerouting priority mangle; policy accept;",
            [f"iifname {guests} goto guests_mark", *(f"iifname {uplink} {source} drop" for source in _sources(plan))],
        ),
        "dstnat": ("type nat hook prerouting priority dstnat; policy accept;", _to_here(plan)),
        "input": ("type filter hook input priority filter; policy accept;", [f"iifname {guests} goto guests_here"]),
        "forward": (
            "type filter hook forward priority filter; policy accept;",
            [f"iifname {guests} goto guests_through", f"oifname {guests} goto guests_back"],
        ),
        "srcnat": ("type nat hook postrouting priority srcnat; policy accept;", _translated(plan)),
    }


def _mark(plan: Plan) -> list[str]:
    four, six = _networks(plan)
    allowed = ["::", "fe80::/10", *([str(six)] if six else [])]
    lines = [
        "meta mark set 0",
        f"meta nfproto ipv4 ip saddr != {{ 0.0.0.0, {four} }} drop",
        f"meta nfproto ipv6 ip6 saddr != {{ {', '.join(allowed)} }} drop",
    ]
    return lines if plan.mode == "closed" else [*lines, "meta mark set ether saddr map @cid"]


def _to_here(plan: Plan) -> list[str]:
    lines = [f'iifname != "{plan.guests}" return']
    for own in _own(plan):
        lines += [
            f"{own} tcp dport {port} redirect to :{to}" for port, to in ((80, plan.http_port), (443, plan.https_port))
        ]
    lines.append("meta mark != 0 return")
    if plan.mode == "open":
        return [*lines, "return"]
    lines += ["udp dport 53 redirect to :53", "tcp dport 53 redirect to :53"]
    if plan.garden:
        for port, to in ((80, plan.garden_http_port), (443, plan.garden_https_port)):
            lines += [
                f"{kind} daddr @garden{n} tcp dport {port} redirect to :{to}" for kind, n in (("ip", 4), ("ip6", 6))
            ]
    return [*lines, f"tcp dport 80 redirect to :{plan.http_port}"]


def _here(plan: Plan) -> list[str]:
    ports = {plan.http_port, plan.https_port}
    if plan.garden:
        ports |= {plan.garden_http_port, plan.garden_https_port}
    return [
        "ct state established,related accept",
        # By its address among guests only, not by the one that it has in the office.
        "fib daddr . iif type != { local, broadcast, multicast, anycast } reject with icmpx type admin-prohibited",
        "meta nfproto ipv4 udp dport 67 accept",
        "meta nfproto ipv6 udp dport 547 accept",
        f"icmpv6 type {_any(_NEIGHBOURS)} accept",
        "icmp type echo-request limit rate 50/second accept",
        "icmpv6 type echo-request limit rate 50/second accept",
        f"meta mark 0 meta l4proto {{ tcp, udp }} th dport 53 update @ask_rate {{ {_ASKING} }} drop",
        "meta l4proto { tcp, udp } th dport 53 accept",
        "udp dport 123 accept",
        f"tcp dport {_any(sorted(ports))} ct state new add @here_n {{ {_HERE_N} }} reject with tcp reset",
        f"tcp dport {_any(sorted(ports))} accept",
        "meta l4proto tcp reject with tcp reset",
        "reject with icmpx type port-unreachable",
    ]


def _through(plan: Plan) -> list[str]:
    four, six = office_networks(plan)
    first = "accept" if plan.mode == "open" else "goto captive"
    return [
        f'oifname "{plan.guests}" drop',
        f'oifname != "{plan.uplink}" reject with icmpx type admin-prohibited',
        f"ip daddr {_any(four)} reject with icmpx type admin-prohibited",
        f"ip6 daddr {_any(six)} reject with icmpx type admin-prohibited",
        "tcp flags syn / syn,rst tcp option maxseg size set rt mtu",
        f"meta mark 0 {first}",
        f"ct state new add @through_n {{ {_THROUGH_N} }} reject with icmpx type admin-prohibited",
        "ct mark set meta mark",
        "meta priority set meta mark map @speed",
        "meta mark @up_b accept",
        "drop",
    ]


def _back(plan: Plan) -> list[str]:
    lines = [
        f'iifname != "{plan.uplink}" drop',
        "ct state != { established, related } drop",
        "tcp flags syn / syn,rst tcp option maxseg size set rt mtu",
        "ct mark 0 udp sport 123 udp length <= 76 accept",
    ]
    if plan.mode == "open":
        # In a disaster a session that is over goes on like everyone else.
        lines += ["ct mark 0 accept", "ct mark != @live accept"]
    else:
        # Whoever waits for the rest of a download is told that no more comes: what the server sends is made a reset.
        lines += ["ct mark 0 drop", f"ct mark != @live {_OVER} tcp flags set rst accept", "ct mark != @live drop"]
    ends = ["meta mark set ct mark", "meta priority set meta mark map @speed", "meta mark @down_b accept", "drop"]
    return [*lines, *ends]


def _captive() -> list[str]:
    """A clock may be set before a login (RFC 8908, section 4), in packets too small and few to carry anything else."""
    return [
        f"udp dport 123 udp length <= 76 update @clock_rate {{ {_CLOCK} }} accept",
        "meta l4proto tcp reject with tcp reset",
        "reject with icmpx type admin-prohibited",
    ]


def _translated(plan: Plan) -> list[str]:
    four, six = _networks(plan)
    lines = [f'oifname "{plan.uplink}" ip saddr {four} masquerade']
    # A prefix of the line's own is routed; one that is unique to this place is translated, or nothing would come back.
    if six and six.is_private:
        lines.append(f'oifname "{plan.uplink}" ip6 saddr {six} masquerade')
    return lines


def office_networks(plan: Plan) -> tuple[list[str], list[str]]:
    """Where guests never go, in both families; what is told as IPv4 also in its IPv6 clothes (NAT64)."""
    told = [ipaddress.ip_network(network) for network in plan.office]
    four = [network for network in told if isinstance(network, ipaddress.IPv4Network)]
    six = [network for network in told if isinstance(network, ipaddress.IPv6Network)]
    four += [ipaddress.IPv4Network(network) for network in _NEVER4]
    six += [ipaddress.IPv6Network(network) for network in _NEVER6]
    six += [ipaddress.IPv6Network((_NAT64 + int(net.network_address), 96 + net.prefixlen)) for net in four]
    return (
        [str(network) for network in ipaddress.collapse_addresses(four)],
        [str(network) for network in ipaddress.collapse_addresses(six)],
    )


def _networks(plan: Plan) -> tuple[ipaddress.IPv4Network, ipaddress.IPv6Network | None]:
    six = ipaddress.IPv6Interface(plan.ipv6).network if plan.ipv6 else None
    return ipaddress.IPv4Interface(plan.ipv4).network, six


def _sources(plan: Plan) -> list[str]:
    four, six = _networks(plan)
    return [f"ip saddr {four}", *([f"ip6 saddr {six}"] if six else [])]


def _own(plan: Plan) -> list[str]:
    own = [f"ip daddr {ipaddress.IPv4Interface(plan.ipv4).ip}"]
    return [*own, f"ip6 daddr {ipaddress.IPv6Interface(plan.ipv6).ip}"] if plan.ipv6 else own


def _any(values: Sequence[object]) -> str:
    return "{ " + ", ".join(str(value) for value in values) + " }"


def _block(table: str, told: Chains) -> str:
    lines = [f"table {table} {{"]
    for name, (hook, rules) in told.items():
        lines += [f"\tchain {name} {{", *(f"\t\t{line}" for line in ((hook, *rules) if hook else rules)), "\t}"]
    return "\n".join([*lines, "}", ""])


_STATE = f"""table inet {TABLE} {{
\tmap cid {{ type ether_addr : mark; size 65535; flags timeout; }}
\tset live {{ type mark; size 65535; flags timeout; }}
\tset up_b {{ type mark; size 65535; counter; }}
\tset down_b {{ type mark; size 65535; counter; }}
\tmap speed {{ type mark : classid; size 65535; }}
\tset garden4 {{ type ipv4_addr; size 4096; flags timeout; timeout 1h; }}
\tset garden6 {{ type ipv6_addr; size 4096; flags timeout; timeout 1h; }}
\tset ask_rate {{ type ether_addr; size 65535; flags dynamic,timeout; timeout 1m; }}
\tset clock_rate {{ type ether_addr; size 65535; flags dynamic,timeout; timeout 10m; }}
\tset here_n {{ type ether_addr; size 65535; flags dynamic; }}
\tset through_n {{ type mark; size 65535; flags dynamic; }}
}}
"""
