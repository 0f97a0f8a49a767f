"""Passes connections of captive clients to the garden's names, and to no other site that shares an address with one.

1. The packet filter leads here what goes to an address of the garden. An address proves nothing: many sites share one.
   The name that the client itself asks for is judged, off the start of TLS or the head of the request.
2. TLS is passed through as it comes: nothing is decrypted, no certificate is shown but the site's own.
3. Where a name leads is looked up here; the client has no say in it. Offices and this device are no place to be led to.
4. What is not in the garden is reset (443), or sent to the portal (80).
"""

import asyncio
import contextlib
import functools
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence

from edge_agent.wifi import client_hello, probe, request_head
from edge_agent.wifi.ruleset import Plan, office_networks

_FIRST_S, _CONNECT_S, _IDLE_S = 10.0, 5.0, 60.0
_PIECE = 65_536
_MOST = 256
# A connection that is closed with unsent bytes thrown away is reset: SO_LINGER on, for no time.
_RESET = struct.pack("ii", 1, 0)


def is_in(name: str, garden: Sequence[str]) -> bool:
    """Whether a name is one of the garden's, or below one."""
    return any(name == one or name.endswith(f".{one}") for one in garden)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Meeting = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class GardenProxy:
    """The two ports. `names` are the garden's as they are now, `portal` where a browser is sent that asked for else."""

    def __init__(self, plan: Plan, names: Callable[[], Sequence[str]], portal: Callable[[], str]) -> None:
        self._plan, self._names, self._portal = plan, names, portal
        self._never = [ipaddress.ip_network(network) for networks in office_networks(plan) for network in networks]
        self._never += [ipaddress.ip_interface(own).network for own in (plan.ipv4, plan.ipv6) if own]
        self._open = 0

    async def serve(self) -> None:
        """Until cancelled. Raises OSError when a port is another's, or the guests' address is not there yet."""
        own = [str(ipaddress.ip_interface(address).ip) for address in (self._plan.ipv4, self._plan.ipv6) if address]
        async with contextlib.AsyncExitStack() as stack:
            plan = self._plan
            for kind, port in ((self._plain, plan.garden_http_port), (self._secured, plan.garden_https_port)):
                server = await asyncio.start_server(functools.partial(self._meet, kind), own, port, limit=_PIECE)
                await stack.enter_async_context(server)
            await asyncio.Event().wait()

    async def _meet(self, pass_on: "Meeting", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST:
                await pass_on(reader, writer)
            else:
                _reset(writer)
        except (OSError, TimeoutError):
            _reset(writer)
        finally:
            self._open -= 1
            writer.close()

    async def _secured(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        data = b""
        async with asyncio.timeout(_FIRST_S):
            while True:
                if not (more := await reader.read(_PIECE)):
                    return _reset(writer)
                data += more
                try:
                    name = client_hello.server_name(data)
                    break
                except client_hello.Incomplete:
                    continue
                except client_hello.NotHello:
                    return _reset(writer)
        if not name or not is_in(name, self._names()):
            return _reset(writer)
        there = await self._connect(name, 443)
        if there is None:
            return _reset(writer)
        there[1].write(data)
        await _both_ways((reader, writer), there, None)
        return None

    async def _plain(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_FIRST_S):
                head = request_head.read(await reader.readuntil(request_head.END))
        except (request_head.BadHead, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return _reset(writer)
        # A device that asks whether it is online is told the truth, whatever the garden holds.
        if not is_in(head.host, self._names()) or probe.expected(head.host, head.path):
            return _send_to(writer, self._portal())
        there = await self._connect(head.host, 80)
        if there is None:
            return _reset(writer)
        there[1].write(head.passed)
        await _both_ways((reader, writer), there, head.body_bytes)
        return None

    async def _connect(self, name: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """To the first address that answers, of those where a guest may go."""
        with contextlib.suppress(OSError):
            found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
            for address in dict.fromkeys(one[4][0] for one in found):
                told = ipaddress.ip_address(str(address).partition("%")[0])
                if any(told in network for network in self._never if network.version == told.version):
                    continue
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(_CONNECT_S):
                        return await asyncio.open_connection(str(told), port, limit=_PIECE)
        return None


async def _both_ways(client: Ends, site: Ends, body_bytes: int | None) -> None:
    """Passes on what comes, until both have ended or nothing comes. With `body_bytes` only so many of the client's."""
    try:
        async with asyncio.timeout(_IDLE_S) as patience, asyncio.TaskGroup() as tasks:

            def heard() -> None:
                patience.reschedule(asyncio.get_running_loop().time() + _IDLE_S)

            up = tasks.create_task(_pass_on(client[0], site[1], body_bytes, heard), name="garden up")
            await _pass_on(site[0], client[1], None, heard)
            if body_bytes is not None:
                # The site said all; what the client would send yet was not asked for.
                up.cancel()
    except* (OSError, TimeoutError):
        pass
    finally:
        site[1].close()


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None, heard: Callable[[], None]
) -> None:
    while most is None or most > 0:
        piece = await reader.read(_PIECE if most is None else min(most, _PIECE))
        if not piece:
            break
        if most is not None:
            most -= len(piece)
        heard()
        writer.write(piece)
        await writer.drain()
    if most is None:
        writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    told: socket.socket | None = writer.get_extra_info("socket")
    if told is not None and not writer.transport.is_closing():
        told.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        writer.transport.abort()


def _send_to(writer: asyncio.StreamWriter, portal: str) -> None:
    if not portal:
        return _reset(writer)
    head = f"HTTP/1.1 302 Found\r\nLocation: {portal}\r\nCache-Control: no-store\r\nContent-Length: 0\r\n"
    writer.write(f"{head}Connection: close\r\n\r\n".encode())
    return None
