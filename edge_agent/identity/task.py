"""Loop: the device gets its identity, renews it in time, and comes back after a long time in a drawer.

1. With an invitation in `enrol-code` and until it has worked: enrol. Taps are taken meanwhile; they wait in the spool.
2. At two thirds of the certificate's life: ask over MQTT, with a new key; the answer comes down (`take`).
3. When the certificate has ended, or the broker has not let the device in for long: ask over HTTP, proved by the old
   key. A device that was reported stolen is told over the same way what it must still do.
4. A fault is said once when it begins and once when it ends.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge_agent import validity
from edge_agent.clock import Clock
from edge_agent.identity import ask, enrol, files, keys, renewal
from edge_agent.identity.ask import Away, Refused
from edge_agent.identity.enrol import Me
from edge_agent.identity.keys import NotOurs
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire import codec, enrolment
from wire.enrolment import BadInvitation, Invitation, Late, LateAnswer, Waiting
from wire.messages import Certificate, Down, Renewal

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 60.0
# An invitation that somebody puts beside a running device is seen within so long.
_INVITED_S = 5.0
_AGAIN_S = (5.0, 300.0)
_LATE_AGAIN_S = 900.0


class Line(Protocol):
    """The uplink, as far as it concerns identities."""

    def reconnect(self) -> None:
        """Connects anew, with the identity that lies in the folder now."""
        ...

    def hand_on(self, told: Down) -> None:
        """A message that came by another way than the broker's."""
        ...


class Identity:
    """One a device. `run` as a task; `take` and `connected` on the loop."""

    def __init__(
        self, settings: Settings, spool: AsyncSpool, clock: Clock, line: Line, serial: Callable[[], str]
    ) -> None:
        self._settings, self._spool, self._clock, self._line, self._serial = settings, spool, clock, line, serial
        self._state_dir = Path(settings.state_dir)
        self._folder = self._state_dir / "identity"
        self._woken = asyncio.Event()
        self._answers: list[Certificate] = []
        self._fault = ""
        self._pause_s = _AGAIN_S[0]
        self._asked_ms: int | None = None
        # Since when the broker does not let us in (monotonic), and when the hub was asked about it last.
        self._out_since_s: float | None = time.monotonic()
        self._late_s = -1e9

    def connected(self, connected: bool) -> None:  # noqa: FBT001 (a watcher's one word)
        """Tells whether the broker lets the device in."""
        if connected:
            self._out_since_s = None
        elif self._out_since_s is None:
            self._out_since_s = time.monotonic()

    def take(self, told: Certificate) -> None:
        """The answer to a renewal; also one that was taken already."""
        self._answers.append(told)
        self._woken.set()

    async def run(self) -> None:
        """Goes on for ever."""
        while True:
            self._woken.clear()
            try:
                pause_s = await self._step()
            except (Away, Refused, NotOurs, BadInvitation, OSError, ValueError) as fault:
                pause_s = self._began(str(fault))
            await self._wait(pause_s)

    async def _wait(self, pause_s: float) -> None:
        """Until it is time, something came, or somebody has put an invitation beside the device."""
        seen_ns, end_s = _changed_ns(self._state_dir / enrol.FILE), time.monotonic() + pause_s
        while (left_s := end_s - time.monotonic()) > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, _INVITED_S)):
                    await self._woken.wait()
                    return
            if _changed_ns(self._state_dir / enrol.FILE) not in (0, seen_ns):
                return

    async def _step(self) -> float:
        """Does what is due; how long to wait until the next look. Raises what `run` catches."""
        await asyncio.to_thread(files.settle, self._folder)
        await self._take_answers()
        invitation = await asyncio.to_thread(enrol.invitation_in, self._state_dir)
        if invitation is not None:
            return await self._enrol(invitation)
        chain = await asyncio.to_thread(files.read, self._folder, "certificate.pem")
        if chain is None:
            raise Away(f"this device is not enrolled: an invitation belongs into {self._state_dir / enrol.FILE}")
        await self._renew(chain)
        self._ended()
        return self._until_late_s()

    # ---- the first identity

    async def _enrol(self, invitation: Invitation) -> float:
        me = Me(self._settings.device, self._settings.kind, await asyncio.to_thread(self._serial))
        done = await asyncio.to_thread(enrol.enrol, self._folder, me, invitation)
        if isinstance(done, Waiting):
            self._began(f"the town hall must approve this device; what to compare: {done.compare}")
            return done.ask_again_s
        await asyncio.to_thread((self._state_dir / enrol.FILE).unlink, missing_ok=True)
        self._ended()
        log.info("this device is enrolled as %s", me.name)
        self._line.reconnect()
        return 0

    # ---- the next one

    async def _renew(self, chain: bytes) -> None:
        stamp = self._clock.stamp()
        if self._is_late(validity.life_ms(chain)[1], stamp.at_ms, has_clock=stamp.clock != "unset"):
            self._late_s = time.monotonic()
            await self._renew_late(chain)
        elif stamp.clock != "unset":
            due_ms = renewal.due_ms(*validity.life_ms(chain), chain)
            if renewal.is_to_ask(stamp.at_ms, due_ms, self._asked_ms):
                await self._ask_over_mqtt()
                self._asked_ms = stamp.at_ms

    async def _ask_over_mqtt(self) -> None:
        key = await asyncio.to_thread(enrol.pending_key, self._folder)
        request = await asyncio.to_thread(keys.make_request, key, self._settings.device)
        with contextlib.suppress(SpoolFull):
            await self._spool.append("renewal", Renewal(request), self._clock.stamp())
            log.info("asks for the next certificate")

    async def _take_answers(self) -> None:
        answers, self._answers = self._answers, []
        for told in answers:
            key = await asyncio.to_thread(files.read, self._folder, "pending.pem")
            if key is None:
                continue  # It was taken already; the hub has not heard so yet.
            await self._put(key, told.chain)

    async def _put(self, key: bytes, chain: str) -> None:
        root = await asyncio.to_thread(files.read, self._folder, "root.pem") or b""
        await asyncio.to_thread(keys.check, chain, root, self._settings.device, key)
        await asyncio.to_thread(files.put, self._folder, key, chain.encode())
        self._asked_ms = None
        log.info("has its next certificate")
        self._line.reconnect()

    # ---- late

    def _is_late(self, end_ms: int, now_ms: int, *, has_clock: bool) -> bool:
        """Whether to ask over HTTP: the certificate has ended, or the broker has not let us in for long."""
        if self._out_since_s is None or not self._hub():
            return False
        now_s = time.monotonic()
        out_for_s = now_s - self._out_since_s
        ended = has_clock and now_ms >= end_ms
        return (ended or out_for_s > self._settings.identity.late_after_s) and now_s - self._late_s > _LATE_AGAIN_S

    def _until_late_s(self) -> float:
        """How long until the next look: sooner, when our patience with the broker is over sooner."""
        if self._out_since_s is None:
            return _LOOK_EVERY_S
        late_s = max(self._out_since_s + self._settings.identity.late_after_s, self._late_s + _LATE_AGAIN_S)
        return min(_LOOK_EVERY_S, max(1.0, late_s - time.monotonic()))

    def _hub(self) -> str:
        return self._settings.identity.hub_url or files.hub(self._folder)

    async def _renew_late(self, chain: bytes) -> None:
        key = await asyncio.to_thread(enrol.pending_key, self._folder)
        answer = await self._asked_late(key, chain)
        for message in answer.down:
            with contextlib.suppress(codec.Unreadable):
                self._line.hand_on(codec.decode_down(message.encode()))
        if answer.chain:
            await self._put(key, answer.chain)

    async def _asked_late(self, key: bytes, chain: bytes) -> LateAnswer:
        """Once with our own time, and once more with the hub's when ours is no good."""
        try:
            return await asyncio.to_thread(self._ask_late, key, chain, self._clock.stamp().at_ms)
        except Refused as refused:
            if refused.now_ms is None:
                # Whatever is wrong, this key will not do: the next try is with another.
                await asyncio.to_thread((self._folder / "pending.pem").unlink, missing_ok=True)
                raise
            return await asyncio.to_thread(self._ask_late, key, chain, refused.now_ms)

    def _ask_late(self, key: bytes, chain: bytes, at_ms: int) -> LateAnswer:
        device, old_chain = self._settings.device, chain.decode("ascii", "replace")
        root = files.read(self._folder, "root.pem") or b""
        request = keys.make_request(key, device)
        data = enrolment.late_bytes(device, old_chain, request, at_ms)
        signature = keys.sign(files.read(self._folder, "key.pem") or b"", data)
        return ask.renew_late(self._hub(), root, Late(device, old_chain, request, at_ms, signature))

    # ---- what is said

    def _began(self, fault: str) -> float:
        """Says a fault once; how long to wait before the next try."""
        if fault != self._fault:
            log.warning("identity: %s", fault)
            self._pause_s = _AGAIN_S[0]
        self._fault = fault
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, _AGAIN_S[1])
        return pause_s * random.uniform(0.5, 1)  # noqa: S311 (spreads load)

    def _ended(self) -> None:
        if self._fault:
            log.warning("identity: all is well again")
        self._fault, self._pause_s = "", _AGAIN_S[0]


def _changed_ns(path: Path) -> int:
    """When a file was written last; 0 when there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
