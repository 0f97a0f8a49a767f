"""Loop: router advertisements to guests, of our own: dnsmasq's cannot carry the portal's address (option 37).

1. Every 60 to 200 s to all, at once when what is told has changed, and to whoever solicits (RFC 4861, 6.2).
2. An answer goes to the one who asked. Answers are bounded, so that nobody's questions fill the air.
3. The way to the internet by IPv6 is offered only while this device has one itself.
4. The bridge not being there is a fault that is expected: tried again, said once.
"""

import asyncio
import contextlib
import logging
import random
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_agent.settings import WifiSettings
from edge_agent.wifi import advert
from edge_agent.wifi.advert import Advert
from edge_agent.wifi.faults import Faults

log = logging.getLogger(__name__)

_ALL_DEVICES, _ALL_ROUTERS = "ff02::1", "ff02::2"
# linux/icmpv6.h and linux/in6.h; the socket module has no names for the first.
_ICMP6_FILTER = 1
_MESSAGE_BYTES = 1500
_AGAIN_AFTER_S = 5.0
# So many answers to single devices a second.
_ANSWERS_A_SECOND = 100
# A change is told to all several times: one frame to all on the air is easily lost.
_FIRST_S = 16.0
_FIRST_TIMES = 3


class Adverts:
    """The advertisements on one bridge. `tell` at any time, `run` as a task."""

    def __init__(self, wifi: WifiSettings, faults: Faults) -> None:
        self._wifi, self._faults = wifi, faults
        self._uri = ""
        self._changed = asyncio.Event()
        self._soon = _FIRST_TIMES
        self._lifetime_s = 0
        self._budget = _Budget(_ANSWERS_A_SECOND)

    def tell(self, uri: str) -> None:
        """From now on this URI (empty: none)."""
        if uri != self._uri:
            self._uri, self._soon = uri, _FIRST_TIMES
            self._changed.set()

    async def run(self) -> None:
        """Advertises until cancelled, and then says that it is no way any more."""
        if not self._wifi.guests or not self._wifi.ipv6:
            return
        while True:
            try:
                with _open(self._wifi.guests) as sending:
                    self._faults.end("advert")
                    await self._advertise(sending)
            except OSError as error:
                self._faults.begin("advert", f"{self._wifi.guests}: {error.strerror}")
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _advertise(self, sending: socket.socket) -> None:
        """Raises OSError."""
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(sending, self._answering(sending, failed))
        try:
            while not failed.done():
                self._changed.clear()
                await self._send(sending, _ALL_DEVICES)
                await self._pause(failed)
            failed.result()
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                sending.sendto(self._message(lifetime_s=0), (_ALL_DEVICES, 0))
            raise
        finally:
            asyncio.get_running_loop().remove_reader(sending)
            failed.cancel()

    async def _pause(self, failed: asyncio.Future[None]) -> None:
        self._soon = max(0, self._soon - 1)
        longest_s = _FIRST_S if self._soon else random.uniform(advert.LEAST_S, advert.MOST_S)  # noqa: S311 (RFC 4861)
        await asyncio.sleep(advert.APART_S)
        waiting = asyncio.ensure_future(self._changed.wait())
        try:
            either: list[asyncio.Future[Any]] = [waiting, failed]
            await asyncio.wait(either, timeout=longest_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    async def _send(self, sending: socket.socket, to: str) -> None:
        lifetime_s = await asyncio.to_thread(_own_lifetime_s, self._wifi.uplink)
        sending.sendto(self._message(lifetime_s=lifetime_s), (to, 0))
        self._lifetime_s = lifetime_s

    def _message(self, *, lifetime_s: int) -> bytes:
        return advert.build(Advert(self._wifi.ipv6, self._uri, lifetime_s, _link(self._wifi.guests)))

    def _answering(self, sending: socket.socket, failed: asyncio.Future[None]) -> Callable[[], None]:
        def answer() -> None:
            try:
                self._answer(sending)
            except BlockingIOError:
                return
            except OSError as error:
                if not failed.done():
                    failed.set_exception(error)

        return answer

    def _answer(self, sending: socket.socket) -> None:
        data, beside, _, who = sending.recvmsg(_MESSAGE_BYTES, socket.CMSG_SPACE(4))
        limits = [struct.unpack("i", value)[0] for _, kind, value in beside if kind == socket.IPV6_HOPLIMIT]
        if not limits or not advert.is_solicitation(data, limits[0]):
            return
        if not self._budget.take(asyncio.get_running_loop().time()):
            return
        # A device without an address yet is answered among all the others.
        to = _ALL_DEVICES if who[0] == "::" else who[0]
        with contextlib.suppress(BlockingIOError):
            sending.sendto(self._message(lifetime_s=self._lifetime_s), (to, 0, 0, who[3]))


class _Budget:
    """So many a second, and no more saved up than a second's."""

    def __init__(self, a_second: int) -> None:
        self._a_second = a_second
        self._left = float(a_second)
        self._at_s = 0.0

    def take(self, now_s: float) -> bool:
        self._left = min(self._a_second, self._left + (now_s - self._at_s) * self._a_second)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


def _open(bridge: str) -> socket.socket:
    """A raw socket on the bridge that hears solicitations only. Raises OSError."""
    index = socket.if_nametoindex(bridge)
    made = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    try:
        made.settimeout(0)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode() + b"\0")
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 255)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
        group = socket.inet_pton(socket.AF_INET6, _ALL_ROUTERS) + struct.pack("@I", index)
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
        made.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _only(advert.SOLICITATION))
    except OSError:
        made.close()
        raise
    return made


def _only(kind: int) -> bytes:
    """A filter that lets one type of message through: a bit a type, set where it is blocked."""
    words = [0xFFFFFFFF] * 8
    words[kind >> 5] &= ~(1 << (kind & 31)) & 0xFFFFFFFF
    return struct.pack("@8I", *words)


def _link(bridge: str) -> bytes:
    try:
        return bytes.fromhex(Path("/sys/class/net", bridge, "address").read_text(encoding="ascii").replace(":", ""))
    except (OSError, ValueError):
        return b""


def _own_lifetime_s(uplink: str) -> int:
    """How long this device is a way to the internet by IPv6: not at all without a way of its own."""
    try:
        lines = Path("/proc/net/ipv6_route").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    zero = "0" * 32
    routes = (line.split() for line in lines)
    # destination, its length, …, next hop (5th), …, interface (last)
    has = any(r[0] == zero and r[1] == "00" and r[-1] == uplink and r[4] != zero for r in routes if len(r) >= 10)
    return advert.ROUTER_LIFETIME_S if has else 0
