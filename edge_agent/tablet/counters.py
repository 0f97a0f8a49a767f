"""What goes into a usage record of a tablet: bytes of each interface since boot, its kind, its card, its width.

1. Which kind of link an interface is decides `fleet.usage.link_of`; one behind which a modem stands is mobile, whatever
   it passes for (sticks that look like an Ethernet adapter).
2. A mobile interface bears the number of the card in its modem (ICCID), where ModemManager tells it.
3. A counter is declared 32-bit where the kernel is 32-bit and the driver keeps its bytes in a word of it
   (`net_device.stats` in the kernel's `include/linux/netdevice.h` is `unsigned long`). Only then may a fall be a wrap.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Literal

from edge_agent.fleet.usage import INTERFACES, Counters, link_of
from wire.messages import Interface, Usage
from wire.tablet import Modem

Occasion = Literal["round", "midnight", "shutdown"]
Bits = Literal[32, 64]

# What uname(2) says on a kernel with words of 32 bits.
_NARROW_MACHINES = ("armv5", "armv6", "armv7", "i386", "i486", "i586", "i686", "mips")
# Drivers that keep 64-bit counters on every kernel: those over usbnet, and PPP (`ndo_get_stats64`).
_WIDE_DRIVERS = frozenset(
    {"qmi_wwan", "cdc_mbim", "huawei_cdc_ncm", "sierra_net", "cdc_ether", "cdc_ncm", "rndis_host", "asix", "r8152"}
)
_PPP = 512
_ARPHRD_LOOPBACK = 772
_LINKS = ("mobile", "wifi", "wired", "tunnel", "other")


def usage_of(counters: Iterable[Counters], modems: Iterable[Modem], occasion: Occasion, *, machine: str = "") -> Usage:
    """The record; of more than 64 interfaces those that matter to a bill stay. `machine` as uname says, this one's."""
    machine = machine or os.uname().machine
    sims = {modem.interface: modem.sim for modem in modems if modem.interface}
    found = [
        _interface(one, sims, machine) for one in counters if one.name != "lo" and one.facts.type != _ARPHRD_LOOPBACK
    ]
    found.sort(key=lambda one: (_LINKS.index(one.link), one.name))
    return Usage(tuple(found[:INTERFACES]), occasion)


def bits_of(counters: Counters, machine: str) -> Bits:
    """How wide the interface's counters are."""
    narrow = machine.startswith(_NARROW_MACHINES)
    wide = counters.facts.driver in _WIDE_DRIVERS or counters.facts.type == _PPP
    return 32 if narrow and not wide else 64


def _interface(one: Counters, sims: Mapping[str, str], machine: str) -> Interface:
    link = "mobile" if one.name in sims else link_of(one.name, one.facts)
    sim = sims.get(one.name, "")
    return Interface(one.name, one.rx_bytes, one.tx_bytes, link, sim, bits_of(one, machine))
