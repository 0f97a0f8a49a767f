"""Loop: the accounting of staff networks, from hostapd to the spool, and back the order to end a session.

1. A request is answered only once its record is on disk (RFC 2866, 4.1); without room it stays unanswered, and hostapd
   asks again. What was told before is answered at once, without a second record.
2. Listens on loopback only, with a secret that only hostapd has.
3. The device's address becomes a pseudonym on the way in; the user's name is not looked at.
4. What hostapd told of a boot before is not its session any more; sessions that the spool still holds are known again
   after the agent began anew.
"""

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from edge_agent.clock import Clock, Stamp
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import accounting, radius
from edge_agent.wifi.accounting import NotAccounting, Told
from edge_agent.wifi.faults import Faults
from edge_agent.wifi.hostapd_conf import ACCOUNTING_PORT, DISCONNECT_PORT
from edge_agent.wifi.japan_day import day_of
from edge_agent.wifi.radius import BadPacket
from wire.kit import pseudonym
from wire.messages import WifiSession

log = logging.getLogger(__name__)

_HERE = "127.0.0.1"
_AGAIN_AFTER_S = 5.0
# asm-generic/socket.h: above what others may have, for root.
_RCVBUFFORCE = 33
_RECEIVE_BYTES = 4 * 1024 * 1024
# Requests on their way to the disk; more are left to be sent again.
_AT_ONCE = 4096
# Sessions that are over are known so long as their Stop may be repeated.
_KNOWN = 4000
_RECENT = 2000
_ANSWER_S, _TRIES = 2.0, 3

DayKey = Callable[[str], bytes]


class NoAnswer(Exception):
    """hostapd does not answer a Disconnect-Request."""


class _Known(msgspec.Struct):
    """A session as far as it is known, and the record of it that is on its way or on disk."""

    told: WifiSession
    saving: "asyncio.Task[bool] | None" = None

    @property
    def is_saved(self) -> bool:
        return self.saving is None or (self.saving.done() and not self.saving.cancelled() and self.saving.result())


class Radius:
    """The accounting of one access point. `run` as a task; `disconnect` for the order."""

    def __init__(
        self,
        spool: AsyncSpool,
        clock: Clock,
        day_key: DayKey,
        secret: Callable[[], str],
        *,
        ports: tuple[int, int] = (ACCOUNTING_PORT, DISCONNECT_PORT),
    ) -> None:
        self._spool, self._clock, self._day_key = spool, clock, day_key
        self._secret, self._ports = secret, ports
        self._known: dict[str, _Known] = {}
        # What was ended by order: hostapd 2.10 says no cause of it in its Stop.
        self._ended_by_order: set[str] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._ready: Callable[[], object] = lambda: None
        self.faults = Faults("accounting")

    def on_ready(self, call: Callable[[], object]) -> None:
        """`call` is called on the loop whenever the port is open."""
        self._ready = call

    @property
    def sessions(self) -> int:
        """How many have not ended."""
        return sum(not known.told.cause for known in self._known.values())

    async def run(self) -> None:
        """Takes accounting until cancelled; a port that is taken is a fault that is tried again."""
        await self._recall()
        while True:
            try:
                await self._listen()
            except OSError as error:
                self.faults.begin("accounting", f"port {self._ports[0]}: {error.strerror}")
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def disconnect(self, session: str) -> bool:
        """Ends a session of staff at once; False when hostapd has none of that name. Raises NoAnswer.

        What comes of it is told by its Stop.
        """
        name = accounting.acct_name(session)
        if name is None:
            return False
        secret = (await asyncio.to_thread(self._secret)).encode()
        identifier = secrets.randbelow(256)
        # Its Stop may come before the answer.
        self._ended_by_order.add(session)
        said = await self._ask(_disconnect(name, identifier, self._clock.now_ms(), secret), secret)
        if said.code == radius.DISCONNECT_ACK:
            return True
        self._ended_by_order.discard(session)
        cause = said.number(radius.ERROR_CAUSE)
        if cause != radius.NO_SUCH_SESSION:
            log.warning("hostapd refuses to end a session of staff: Error-Cause %s", cause)
        return False

    async def _ask(self, request: bytes, secret: bytes) -> radius.Packet:
        """Sent again with the same bytes, so that it is done once (RFC 5176, 2.3). Raises NoAnswer."""
        loop = asyncio.get_running_loop()
        answers: asyncio.Queue[bytes] = asyncio.Queue(16)
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Listening(lambda data, _: _offer(answers, data)), remote_addr=(_HERE, self._ports[1])
        )
        try:
            for _ in range(_TRIES):
                transport.sendto(request)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_ANSWER_S):
                        return await _answer(answers, request, secret)
        finally:
            transport.close()
        raise NoAnswer(f"no answer from hostapd within {_ANSWER_S * _TRIES:g} s")

    async def _recall(self) -> None:
        """What the spool still holds of this boot's sessions."""
        boot = self._clock.stamp().boot
        for record in await self._spool.recent("wifi_session", _RECENT):
            told = msgspec.json.decode(record.body, type=WifiSession)
            if told.way == "staff" and told.boot == boot:
                self._known[told.session] = _Known(told)

    async def _listen(self) -> None:
        """Raises OSError."""
        secret = (await asyncio.to_thread(self._secret)).encode()
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Listening(lambda data, who: self._heard(transport, secret, data, who), lost),
            local_addr=(_HERE, self._ports[0]),
        )
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, _RCVBUFFORCE, _RECEIVE_BYTES)
        self.faults.end("accounting")
        self._ready()
        try:
            await lost
        finally:
            transport.close()

    def _heard(self, transport: asyncio.DatagramTransport, secret: bytes, data: bytes, who: Any) -> None:
        try:
            request = radius.accounting_request(data, secret)
            said = accounting.told(request)
        except (BadPacket, NotAccounting) as error:
            # RFC 2866, 4.1: no answer.
            self.faults.begin("accounting_unreadable", str(error))
            return
        self.faults.end("accounting_unreadable")
        if len(self._under_way) < _AT_ONCE:
            task = asyncio.create_task(self._take(transport, secret, request, said, who), name="accounting")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _take(
        self, transport: asyncio.DatagramTransport, secret: bytes, request: radius.Packet, said: Told, who: Any
    ) -> None:
        if await self._keep(said) and not transport.is_closing():
            transport.sendto(radius.accounting_response(request, secret), who)

    async def _keep(self, said: Told) -> bool:
        """Whether everything of it is on disk."""
        stamp = self._clock.stamp()
        if said.status in ("on", "off"):
            return await self._all_lost(stamp)
        event_ms = said.event_ms if said.event_ms is not None else stamp.at_ms - said.delay_s * 1000
        name = accounting.session_name(said.session)
        if said.status == "stop" and name in self._ended_by_order:
            said = msgspec.structs.replace(said, cause="admin")
        known = self._known.get(name)
        before = known.told if known else None
        after = accounting.folded(before, said, self._new(name, said, stamp, event_ms), event_ms)
        if known is None:
            known = self._known[name] = _Known(after)
            self._forget()
        if after is not before or not known.is_saved:
            known.told = after
            known.saving = self._save(after, stamp)
        return known.saving is None or await asyncio.shield(known.saving)

    async def _all_lost(self, stamp: Stamp) -> bool:
        """hostapd began anew or ends: of sessions that run nobody will tell any more."""
        saving = []
        for known in self._known.values():
            after = accounting.lost(known.told, _number(stamp))
            if after is not known.told or not known.is_saved:
                known.told, known.saving = after, self._save(after, stamp)
                saving.append(known.saving)
        return all(await asyncio.gather(*map(asyncio.shield, saving)))

    def _new(self, name: str, said: Told, stamp: Stamp, event_ms: int) -> WifiSession:
        day = day_of(event_ms - said.lasted_s * 1000)
        guest = pseudonym(self._day_key(day), said.address or name)
        number = _number(stamp)
        return WifiSession(
            name, stamp.boot, number, event_ms, event_ms, 0, 0, guest, day, network=said.network, way="staff"
        )

    def _save(self, told: WifiSession, stamp: Stamp) -> "asyncio.Task[bool]":
        """A later record says all of an earlier one, so only the last has to arrive on the disk."""
        return asyncio.create_task(self._append(told, stamp), name="accounting record")

    async def _append(self, told: WifiSession, stamp: Stamp) -> bool:
        try:
            await self._spool.append("wifi_session", told, stamp)
        except SpoolFull as error:
            self.faults.begin("accounting_disk", str(error))
            return False
        self.faults.end("accounting_disk")
        return True

    def _forget(self) -> None:
        """The oldest that are over, when there are many."""
        if len(self._known) > _KNOWN:
            over = [name for name, known in self._known.items() if known.told.cause and known.is_saved]
            for name in over[: len(self._known) - _KNOWN]:
                del self._known[name]
                self._ended_by_order.discard(name)


class _Listening(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[bytes, Any], None], lost: "asyncio.Future[None] | None" = None) -> None:
        self._heard, self._lost = heard, lost

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._heard(data, addr)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._lost is not None and not self._lost.done():
            self._lost.set_exception(exc if isinstance(exc, OSError) else OSError("the socket is closed"))


async def _answer(answers: "asyncio.Queue[bytes]", request: bytes, secret: bytes) -> radius.Packet:
    while True:
        data = await answers.get()
        with contextlib.suppress(BadPacket):
            return radius.answer(request, data, secret)


def _offer(answers: "asyncio.Queue[bytes]", data: bytes) -> None:
    with contextlib.suppress(asyncio.QueueFull):
        answers.put_nowait(data)


def _disconnect(name: str, identifier: int, now_ms: int, secret: bytes) -> bytes:
    attributes = [
        (radius.ACCT_SESSION_ID, radius.text(name)),
        (radius.EVENT_TIMESTAMP, radius.whole(now_ms // 1000)),
    ]
    return radius.request(radius.DISCONNECT_REQUEST, identifier, attributes, secret)


def _number(stamp: Stamp) -> int:
    """Rises with each telling, also over a new start of the agent: a session does not outlive its boot."""
    return max(1, stamp.mono_ms)
