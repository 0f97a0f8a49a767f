"""How fast a session goes: limits -> lines of `tc -batch`.

1. A class of HTB a session and direction, made when it has limits and gone with it: what leaves by the guests' bridge
   is its download, what leaves by the uplink its upload. The packet filter writes the class on each packet (`speed`),
   so there is no list of filters to walk, and two thousand sessions cost a packet as much as two.
2. Inside a class stands fq_codel or cake where the kernel has one, so that a long download does not hold up a page of
   the same guest; otherwise a plain queue. fq_codel is asked for first: it takes a small part of cake's memory.
3. What has no class (this device's own traffic, sessions without limits) is sent as if nothing was here.
"""

from collections.abc import Iterable, Sequence

import msgspec

from edge_agent.wifi.elements import CLASSES

LEAVES = {"fq_codel": "fq_codel limit 512 flows 64", "cake": "cake unlimited besteffort memlimit 1mb"}
# Without either a queue of bytes: the thousand packets that an interface would hold are minutes at a slow speed.
_PLAIN_S, _PLAIN_LEAST_BYTES = 0.2, 131_072
# The number of a class that is made and taken away again to learn what the kernel has.
TRIAL = 0xFFFF
LAST = 0xFFFE
_FULL_KBIT = 10_000_000


class Limits(msgspec.Struct, frozen=True):
    """Speeds of a session in kbit/s; 0 for as fast as it goes."""

    down_kbit: int = 0
    up_kbit: int = 0

    def __bool__(self) -> bool:
        """Whether anything is limited."""
        return bool(self.down_kbit or self.up_kbit)


def root(device: str) -> str:
    """The discipline that the classes hang on."""
    return f"qdisc add dev {device} root handle {CLASSES}: htb default 0"


def held(guests: str, uplink: str, number: int, limits: Limits, leaf: str, *, new: bool) -> list[str]:
    """The classes of a session, new or with another speed; `leaf` is a name, or "" for a plain queue.

    A plain queue goes with the speed; fq_codel finds its own way, and refuses to be told its flows a second time.
    """
    lines = []
    for device, kbit in ((guests, limits.down_kbit), (uplink, limits.up_kbit)):
        rate = min(kbit, _FULL_KBIT) if kbit > 0 else _FULL_KBIT
        lines.append(_class(device, number, rate))
        if new or not leaf:
            lines.append(f"qdisc replace dev {device} parent {CLASSES}:{number:x} {LEAVES.get(leaf) or _plain(rate)}")
    return lines


def released(guests: str, uplink: str, numbers: Iterable[int]) -> list[str]:
    """Takes classes away."""
    return [f"class del dev {device} classid {CLASSES}:{n:x}" for n in numbers for device in (guests, uplink)]


def trial(device: str, leaf: str) -> list[str]:
    """Goes through only where the kernel has this leaf."""
    return [_class(device, TRIAL, 1000), f"qdisc add dev {device} parent {CLASSES}:{TRIAL:x} {LEAVES[leaf]}"]


def trial_over(device: str) -> str:
    """Takes the trial away."""
    return f"class del dev {device} classid {CLASSES}:{TRIAL:x}"


def free_number(used: Iterable[int], after: int) -> int | None:
    """The next number of a class that nobody has, round and round; None when all are given out."""
    taken = used if isinstance(used, set | frozenset) else set(used)
    candidates: Sequence[range] = (range(after + 1, LAST + 1), range(1, after + 1))
    return next((number for numbers in candidates for number in numbers if number not in taken), None)


def _plain(kbit: int) -> str:
    return f"bfifo limit {max(int(kbit * 125 * _PLAIN_S), _PLAIN_LEAST_BYTES)}"


def _class(device: str, number: int, kbit: int) -> str:
    # 20 ms at full speed, and never less than what one packet of the card's own cutting (TSO) holds.
    burst = max(kbit * 1000 // 8 // 50, 65_536 if kbit >= 50_000 else 4_096)
    rate = f"rate {kbit}kbit ceil {kbit}kbit burst {burst} cburst {burst}"
    return f"class replace dev {device} parent {CLASSES}: classid {CLASSES}:{number:x} htb {rate}"
