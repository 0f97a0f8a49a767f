"""Access: sessions and known guests, from memory onto this disk and into the spool, in an order that bears power cuts.

1. A new session: this disk, then the spool with the consent. Killed between the two, it is told as ended later.
2. What changed: this disk in one transaction, then what is due into the spool in one. An end is on this disk before it
   is told, so that after a kill it is told the same.
3. A telling that the hub does not have yet is not followed by another of the same session, but for its end: an outage
   of days fills no disk.
4. What the disk did not take counts as changed still.
"""

import asyncio
from collections.abc import Container
from pathlib import Path

import msgspec

from edge_agent.clock import Clock, Stamp
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import session
from edge_agent.wifi.faults import Faults
from edge_agent.wifi.open_sessions import OpenSessions
from edge_agent.wifi.roaming import KnownGuests, of_session
from edge_agent.wifi.session import Session
from edge_agent.wifi.session_store import FILE, AsyncStore, Change, Kept, NotKept
from edge_agent.wifi.voucher_use import Use
from wire.messages import Cause, Consent


class NoRoom(Exception):
    """This disk or the spool does not take it: nothing of it counts."""


class SessionBook:
    """One access point's book. Lives on the event loop."""

    def __init__(self, folder: Path, spool: AsyncSpool, clock: Clock, faults: Faults, *, tell_every_ms: int) -> None:
        self._store = AsyncStore(folder / FILE)
        self._spool, self._clock, self._faults = spool, clock, faults
        self._tell_every_ms = tell_every_ms
        self.open = OpenSessions()
        self.known = KnownGuests()
        self.unused: set[str] = set()
        self._seqs: dict[int, int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def load(self) -> Kept:
        """What the disk holds; known guests are known from now on. Raises NoRoom."""
        try:
            kept = await self._store.load()
        except NotKept as error:
            self._faults.begin("store", str(error))
            raise NoRoom from error
        self._faults.end("store")
        self.known.restore(kept.known)
        return kept

    async def close(self) -> None:
        """Waits for what is under way and closes the file."""
        await asyncio.to_thread(self._store.close)

    # ---- at once

    async def keep_new(self, drawn: Session, consent: Consent | None, now: Stamp) -> Session:
        """A session that begins, and the consent to it: durable when it returns. Raises NoRoom."""
        begins = session.told(drawn, now.mono_ms, self._tell_every_ms)
        bodies: list[tuple[str, msgspec.Struct]] = [("consent", consent)] if consent is not None else []
        bodies.append(("wifi_session", session.telling(begins)))
        await self._write(Change(sessions=(begins,)))
        try:
            self._seqs[begins.mark] = (await self._spool.append_many(bodies, now))[-1]
        except SpoolFull as error:
            self.open.gone.add(begins.mark)
            self._faults.begin("spool", "it is full")
            raise NoRoom from error
        return begins

    async def keep_longer(self, new: Session, consent: Consent | None, now: Stamp) -> None:
        """An open session that lasts longer: durable when it returns. Raises NoRoom."""
        await self._write(Change(sessions=(new,)))
        if consent is not None:
            try:
                await self._spool.append("consent", consent, now)
            except SpoolFull as error:
                self._faults.begin("spool", "it is full")
                raise NoRoom from error

    async def keep_use(self, use: Use) -> None:
        """A voucher was used. Raises NoRoom."""
        await self._write(Change(uses=(use,)))

    async def _write(self, change: Change) -> None:
        try:
            await self._store.write(change)
        except NotKept as error:
            self._faults.begin("store", str(error))
            raise NoRoom from error
        self._faults.end("store")

    # ---- ends

    def end(self, mark: int, cause: Cause, now: Stamp) -> None:
        """An open session has ended."""
        self.open.end(mark, cause, now.mono_ms)
        self._seqs.pop(mark, None)
        self.learn(mark, now)

    def learn(self, mark: int, now: Stamp) -> None:
        """Whose session has ended is known from now on, with what it used."""
        over = self.open.by_owed(mark)
        if over is not None and over.way != "disaster":
            self.known.learn(of_session(over, now), now)

    # ---- by and by

    async def settle(self, held_back: Container[int]) -> None:
        """What changed onto this disk, then what is due into the spool; the ends of those held back wait."""
        async with self._one_at_a_time:
            acked = await self._spool.cursor("bulk")
            now = self._clock.stamp()
            tells = self._number(now, acked, held_back)
            if await self._save() and tells:
                await self._tell(tells, now)

    def _number(self, now: Stamp, acked: int, held_back: Container[int]) -> list[Session]:
        """What is to be told now, with its number."""
        tells = []
        for one in (*self.open.owed, *self.open):
            waits = one.mark in held_back if one.cause else self._seqs.get(one.mark, 0) > acked
            if not waits and session.is_due(one, now.mono_ms):
                new = session.told(one, now.mono_ms, self._tell_every_ms)
                tells.append(new)
                if one.cause:
                    self.open.owe(new)
                else:
                    self.open.change(new)
        return tells

    async def _save(self) -> bool:
        """One transaction. False when the disk did not take it."""
        changes, guests, unused = self.open.take_changes(), self.known.take_changed(), self.unused
        self.unused = set()
        change = Change(
            sessions=self._now(changes.changed),
            counted=self._now(changes.counted - changes.changed),
            gone=tuple(changes.gone),
            known=[one for one in map(self.known.get, guests) if one is not None],
            forgotten=[guest for guest in guests if self.known.get(guest) is None],
            unused=tuple(unused),
        )
        try:
            await self._write(change)
        except NoRoom:
            self.open.give_back(changes)
            self.known.give_back(guests)
            self.unused |= unused
            return False
        return True

    def _now(self, marks: set[int]) -> list[Session]:
        return [one for one in map(self.open.now, marks) if one is not None]

    async def _tell(self, tells: list[Session], now: Stamp) -> None:
        try:
            seqs = await self._spool.append_many([("wifi_session", session.telling(one)) for one in tells], now)
        except SpoolFull:
            # An end is offered again in the next round.
            self._faults.begin("spool", "it is full")
            return
        self._faults.end("spool")
        for one, seq in zip(tells, seqs, strict=True):
            if one.cause:
                self.open.told(one.mark)
            elif self.open.by_mark(one.mark) is not None:
                self._seqs[one.mark] = seq
