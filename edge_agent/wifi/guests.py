"""Loop: guests of this access point, from the tap of "agree" to the end of their session. Nothing waits for the hub.

1. A consent is in the spool before the guest is let in and the page says so; where the disk has no room for it, the
   guest is told. Agreeing twice is agreeing once.
2. The order of writing is: the session onto this disk, the consent and the session's beginning into the spool, the
   mark into the kernel. A power cut between two of them leaves a session that is told as ended, never one that is
   forgotten open, and never a guest inside without a consent.
3. A round counts everybody with one call of the kernel, writes once to this disk and once to the spool.
4. Whoever is ended is stopped in the kernel first; what they had used by then is whole before it is told.
5. A restart of the agent goes on with what the kernel lets through. After a power cut each session ended at its last
   sign of life.
6. In a disaster nobody agrees to anything: each device that is seen has a session of its own, without an end and
   without a quota, so that what was used is known. Sessions from before are not cut, however long it lasts; their time
   is looked at again when it is over.
"""

import asyncio
import contextlib
import logging
import secrets
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edge_agent.clock import Clock, Stamp
from edge_agent.effective import Holder
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import admission, roaming, session, voucher_use
from edge_agent.wifi.admission import Agreed, Reason, Refused, Standing
from edge_agent.wifi.elements import checked_address
from edge_agent.wifi.faults import Faults
from edge_agent.wifi.firewall import Counted, Limits, NotApplied
from edge_agent.wifi.gate import Gate, ModeNow, Normal
from edge_agent.wifi.japan_day import day_before, day_of
from edge_agent.wifi.kit_task import KitHolder
from edge_agent.wifi.roaming import Known
from edge_agent.wifi.session import Rules, Session
from edge_agent.wifi.session_book import NoRoom, SessionBook
from edge_agent.wifi.session_store import Kept
from edge_agent.wifi.voucher_desk import VoucherDesk
from edge_agent.wifi.voucher_use import Use
from wire.kit import pseudonym
from wire.messages import Cause, Consent, Grant, Roam, Way

__all__ = ["Agreed", "Gate", "Guests", "ModeNow", "Normal", "Reason", "Refused", "Standing"]

log = logging.getLogger(__name__)

T = TypeVar("T")
Names = Sequence[tuple[str, str]]

MOST_SESSIONS = 4096
# So long the kernel lets a guest through in a disaster, whose end nobody knows.
_DISASTER_S = 30 * 86_400
_AGAIN_AFTER_S = 3.0
_READY_WITHIN_S = 10.0


class Guests:
    """The guests of one access point. `standing` never waits; `run` as a task, once the firewall stands."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        holder: Holder,
        gate: Gate,
        kit: KitHolder,
        mode: Callable[[], ModeNow] = Normal,
    ) -> None:
        self._clock, self._holder, self._gate, self._kit, self._mode = clock, holder, gate, kit, mode
        self._every_s = settings.wifi.account_every_s
        self._faults = Faults("guests")
        tell_every_ms = settings.wifi.tell_every_s * 1000
        self._book = SessionBook(Path(settings.state_dir), spool, clock, self._faults, tell_every_ms=tell_every_ms)
        self._open, self._known = self._book.open, self._book.known
        self._desk = VoucherDesk()
        self._limits: dict[int, tuple[int, int]] = {}
        self._to_remove: set[int] = set()
        self._to_prolong: set[int] = set()
        self._timeless = False
        self._day = ""
        self._ready = asyncio.Event()
        self._stir = asyncio.Event()
        self._rounds, self._removals = asyncio.Lock(), asyncio.Lock()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._desk.take_kit(kit.now)
        kit.watch(self._desk.take_kit)
        kit.watch_roam(self._take_roam)
        holder.watch(lambda _: self.stir())

    # ---- what the portal asks

    def standing(self, address: str) -> Standing | None:
        """How it stands with a device; None for one that is not let in."""
        found = self._open.of(address.lower())
        now, rules = self._now()
        if found is None or session.end_by_itself(found, now.mono_ms, rules) in ("time", "closed"):
            return None
        return admission.standing(found, now, rules)

    def known(self, address: str) -> Grant | None:
        """What is known of a device that may go on without agreeing again."""
        now = self._clock.stamp()
        found = self._find_known(self._names(address.lower(), now), now)
        if found is None or not found.welcome or not roaming.left_ms(found, now):
            return None
        return roaming.grant_of(found)

    async def agree(self, address: str, agreed: Agreed) -> Standing:
        """A guest agrees to the terms and is let in; their consent is durable before. Raises Refused."""
        return await self._alone(address, lambda address: self._agree(address, agreed))

    async def extend(self, address: str) -> Standing:
        """A guest wants to stay longer; also one whose time was over a moment ago. Raises Refused."""
        return await self._alone(address, self._extend)

    async def confirm(self, address: str) -> Standing:
        """A guest has confirmed an address: the whole time counts. Raises Refused."""
        return await self._alone(address, self._confirm)

    async def arrive(self, address: str) -> Standing | None:
        """A device has come on the air: one that is known is let in before it asks, in a disaster everybody is."""
        found = self.standing(address)
        if found is not None:
            return found
        try:
            return await self._alone(address, self._arrive)
        except Refused as refused:
            log.info("a device that came was not let in: %s", refused.reason)
            return None

    async def leave(self, address: str) -> None:
        """A guest wants to be off."""
        found = self._open.of(address.lower())
        if found is not None:
            await self._finish(found.mark, "user")

    async def end(self, session_id: str, cause: Cause) -> bool:
        """Ends one session; False when there is none of that id."""
        found = self._open.by_id(session_id)
        if found is None:
            return False
        await self._finish(found.mark, cause)
        return True

    @property
    def count(self) -> int:
        """How many are let in."""
        return len(self._open)

    # ---- agreeing

    async def _agree(self, address: str, agreed: Agreed) -> Standing:
        now, rules = self._now()
        if not rules.open:
            raise Refused("closed")
        present = await self._live(address)
        if agreed.voucher:
            return await self._agree_with_voucher(address, agreed, agreed.voucher, present)
        if present is not None:
            return admission.standing(present, now, rules)
        names = self._names(address, now)
        drawn = self._draw(names, agreed.way, now, agreed.session)
        drawn = self._going_on(drawn, self._find_known(names, now), rules, now, asks=agreed.way == "email")
        drawn = msgspec.structs.replace(drawn, terms=agreed.terms, language=agreed.language)
        return await self._begin(address, drawn, now, admission.consent(drawn, agreed))

    def _going_on(
        self, drawn: Session, known: Known | None, rules: Rules, now: Stamp, *, asks: bool = False
    ) -> Session:
        """See roaming. Raises Refused."""
        found = roaming.going_on(drawn, known, rules, now, asks=asks)
        if found is None:
            self._open.release(drawn.mark)
            raise Refused("extensions")
        return found

    def _draw(self, names: Names, way: Way, now: Stamp, id_: str = "") -> Session:
        """A session with a mark of its own, without an end yet. Raises Refused."""
        if len(self._open) >= MOST_SESSIONS:
            raise Refused("full")
        if not id_ or self._open.by_id(id_) is not None:
            id_ = secrets.token_hex(16)
        day, guest = names[0]
        network = self._mode().network_name or self._holder.now.network_name
        mark = self._open.reserve(self._to_remove)
        return session.begun(id_=id_, mark=mark, guest=guest, day=day, now=now, lasts_ms=0, way=way, network=network)

    async def _begin(
        self, address: str, drawn: Session, now: Stamp, consent: Consent | None = None, use: Use | None = None
    ) -> Standing:
        """Onto this disk, into the spool, into the kernel. Raises Refused."""
        try:
            begins = await self._book.keep_new(drawn, consent, now)
        except NoRoom as error:
            self._open.release(drawn.mark)
            raise Refused("disk") from error
        await self._keep_use(use)
        self._open.put(begins, address)
        rules = self._rules()
        await self._admit(address, begins, rules)
        return admission.standing(begins, now, rules)

    async def _admit(self, address: str, begins: Session, rules: Rules) -> None:
        kbit = session.kbit(begins, rules)
        try:
            await self._gate.admit(address, begins.mark, self._seconds(begins, rules), Limits(*kbit))
        except NotApplied as error:
            self._faults.begin("kernel", str(error))
            await self._finish(begins.mark, "lost")
            raise Refused("fault") from error
        self._limits[begins.mark] = kbit

    # ---- vouchers

    async def _agree_with_voucher(self, address: str, agreed: Agreed, code: str, present: Session | None) -> Standing:
        now = self._clock.stamp()
        names = self._names(address, now)
        use = self._desk.use(code, names, now, self._open)
        before = self._desk.note(use)
        try:
            if present is not None:
                return await self._turn_to_voucher(present, agreed, use)
            drawn = msgspec.structs.replace(
                self._draw(names, "voucher", now, agreed.session),
                terms=agreed.terms,
                language=agreed.language,
                voucher=use.voucher,
                ends_mono_ms=now.mono_ms + voucher_use.left_ms(use, now),
            )
            return await self._begin(address, drawn, now, admission.consent(drawn, agreed, use.voucher), use)
        except Refused:
            self._desk.put_back(use, before)
            raise

    async def _turn_to_voucher(self, present: Session, agreed: Agreed, use: Use) -> Standing:
        """A guest who is let in gets the time of a voucher, with the same session."""
        now, rules = self._now()
        if present.voucher == use.voucher:
            return admission.standing(present, now, rules)
        ends = max(present.ends_mono_ms, now.mono_ms + voucher_use.left_ms(use, now))
        new = msgspec.structs.replace(
            present,
            way="voucher",
            terms=agreed.terms,
            language=agreed.language,
            voucher=use.voucher,
            ends_mono_ms=ends if present.ends_mono_ms else 0,
            whole_ms=0,
            due_mono_ms=0,
        )
        return await self._lengthen(present, new, admission.consent(present, agreed, use.voucher), use)

    async def _keep_use(self, use: Use | None) -> None:
        """The consent is kept already: a disk that does not take this as well keeps nobody out."""
        if use is not None:
            with contextlib.suppress(NoRoom):
                await self._book.keep_use(use)

    # ---- longer

    async def _extend(self, address: str) -> Standing:
        present = await self._live(address)
        if present is None:
            return await self._go_on(address)
        rules = self._rules()
        if not session.extensions_left(present, rules):
            raise Refused("unconfirmed" if present.provisional else "extensions")
        return await self._lengthen(present, session.extended(present, rules.session_minutes))

    async def _go_on(self, address: str) -> Standing:
        """One whose session is over goes on with it: the rest of the time, or an extension."""
        now, rules = self._now()
        if not rules.open:
            raise Refused("closed")
        names = self._names(address, now)
        known = self._find_known(names, now)
        if known is None:
            raise Refused("extensions")
        if known.whole_ms:
            raise Refused("unconfirmed")
        return await self._begin(address, self._going_on(self._draw(names, known.way, now), known, rules, now), now)

    async def _confirm(self, address: str) -> Standing:
        present = await self._live(address)
        if present is None:
            raise Refused("extensions")
        if not present.provisional:
            return admission.standing(present, *self._now())
        consent = Consent(present.id, present.terms, present.language, present.way, confirmed=True)
        return await self._lengthen(present, session.confirmed(present), consent)

    async def _lengthen(
        self, old: Session, new: Session, consent: Consent | None = None, use: Use | None = None
    ) -> Standing:
        """A session lasts longer: on disk before the guest is told. Raises Refused."""
        self._open.change(new)
        now, rules = self._now()
        try:
            await self._book.keep_longer(new, consent, now)
        except NoRoom as error:
            self._shorten(old)
            raise Refused("disk") from error
        await self._keep_use(use)
        present = self._open.by_mark(new.mark)
        if present is not None:
            await self._prolong(present, rules)
        self.stir()
        return admission.standing(present or new, now, rules)

    def _shorten(self, old: Session) -> None:
        """It could not be kept: as it was, with what was counted meanwhile."""
        present = self._open.by_mark(old.mark)
        if present is not None:
            self._open.change(msgspec.structs.replace(old, usage=present.usage))

    async def _prolong(self, one: Session, rules: Rules) -> None:
        try:
            await self._gate.prolong(one.mark, self._seconds(one, rules))
            self._to_prolong.discard(one.mark)
        except NotApplied as error:
            self._to_prolong.add(one.mark)
            self._faults.begin("kernel", str(error))

    # ---- without the page

    async def _arrive(self, address: str) -> Standing | None:
        present = await self._live(address)
        now, rules = self._now()
        if present is not None:
            return admission.standing(present, now, rules)
        if not rules.open:
            return None
        names = self._names(address, now)
        known = self._find_known(names, now)
        if known is not None and known.welcome and roaming.left_ms(known, now):
            return await self._begin(address, self._going_on(self._draw(names, "roam", now), known, rules, now), now)
        if rules.timeless:
            return await self._begin(address, self._draw(names, "disaster", now), now)
        return None

    def _take_roam(self, told: Roam) -> None:
        """Grants that are the hub's word."""
        now = self._clock.stamp()
        here = {one.origin or one.id: one for one in self._open}
        for grant in told.grants:
            known = self._known.learn(roaming.of_grant(grant, told.made_ms, now), now)
            present = here.get(grant.origin)
            if present is not None and present.ends_mono_ms and known.extensions > present.extensions:
                # The guest had it extended at another access point.
                ends = max(present.ends_mono_ms, now.mono_ms + roaming.left_ms(known, now))
                self._open.change(msgspec.structs.replace(present, ends_mono_ms=ends, extensions=known.extensions))
                self._to_prolong.add(present.mark)
                self.stir()

    # ---- ending

    async def _live(self, address: str) -> Session | None:
        """The session of a device; one whose time is over is ended first, and one that has ended out of the kernel."""
        found = self._open.of(address)
        if found is None:
            if self._to_remove:
                await self._remove()
            return None
        now, rules = self._now()
        cause = session.end_by_itself(found, now.mono_ms, rules)
        if cause in ("time", "closed"):
            await self._finish(found.mark, cause)
        return self._open.of(address)

    async def _finish(self, mark: int, cause: Cause) -> None:
        """Ends a session now: nothing passes any more when it returns, and what was used is whole."""
        if self._open.by_mark(mark) is not None:
            self._end(mark, cause, self._clock.stamp())
        await self._remove()
        await self._book.settle(self._to_remove)

    def _end(self, mark: int, cause: Cause, now: Stamp) -> None:
        self._book.end(mark, cause, now)
        self._limits.pop(mark, None)
        self._to_prolong.discard(mark)
        self._to_remove.add(mark)

    async def _remove(self) -> None:
        """Out of the kernel, all at once; what each had used by then is counted."""
        # One after the other: who asks for the same mark twice is told nothing of it the second time.
        async with self._removals:
            await _all(self._remove_one(mark) for mark in list(self._to_remove))

    async def _remove_one(self, mark: int) -> None:
        try:
            used = await self._gate.remove(mark)
        except NotApplied as error:
            self._faults.begin("kernel", str(error))
            return
        self._to_remove.discard(mark)
        over = self._open.by_owed(mark)
        if over is not None:
            now, rules = self._now()
            self._open.owe(session.counted(over, used.up_bytes, used.down_bytes, now.mono_ms, rules))
            self._book.learn(mark, now)

    # ---- the round

    async def run(self) -> None:
        """Goes on with what was open, then counts, ends and tells until cancelled."""
        await self.restore()
        while True:
            self._stir.clear()
            await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._stir.wait()

    def stir(self) -> None:
        """A round is due now: the mode or the rules have changed."""
        self._stir.set()

    async def round(self) -> None:
        """Counts everybody, ends whose time is over, slows who used too much, writes once, tells what is due."""
        await self._ready.wait()
        async with self._rounds:
            counted = await self._counters()
            now, rules = self._now()
            self._turn_boot(now)
            self._turn_day(now)
            self._turn_timeless(rules)
            limits = self._look(counted, now, rules)
            await self._remove()
            if counted is not None:
                await _all(self._admit_again(one, rules) for one in self._open if one.mark not in counted)
            await _all(self._limit(mark, kbit) for mark, kbit in limits)
            longer = [one for one in map(self._open.by_mark, self._to_prolong) if one is not None]
            await _all(self._prolong(one, rules) for one in longer)
            await self._book.settle(self._to_remove)

    async def _counters(self) -> dict[int, Counted] | None:
        try:
            counted = await self._gate.counters()
        except NotApplied as error:
            self._faults.begin("kernel", str(error))
            return None
        self._faults.end("kernel")
        return counted

    def _look(self, counted: dict[int, Counted] | None, now: Stamp, rules: Rules) -> list[tuple[int, tuple[int, int]]]:
        """What each session is now; which are to go at another speed."""
        limits = []
        for one in self._open:
            new = self._looked_at(one, (counted or {}).get(one.mark), now, rules)
            cause = session.end_by_itself(new, now.mono_ms, rules)
            if cause and (counted is not None or cause != "idle"):
                self._end(new.mark, cause, now)
            elif self._limits.get(new.mark) != session.kbit(new, rules):
                limits.append((new.mark, session.kbit(new, rules)))
        return limits

    def _looked_at(self, one: Session, counted: Counted | None, now: Stamp, rules: Rules) -> Session:
        """One with its counters, its speed and its beginning as they are now; noted where that is new."""
        new = one
        if counted is not None:
            new = session.counted(one, counted.up_bytes, counted.down_bytes, now.mono_ms, rules)
        over = session.is_over_quota(new, rules)
        if over != new.slowed:
            new = msgspec.structs.replace(new, slowed=over, due_mono_ms=0)
        sure = session.with_clock(new, now)
        if over != one.slowed or sure is not new:
            self._open.change(sure)
        elif new is not one:
            self._open.count(new)
        return sure

    async def _admit_again(self, one: Session, rules: Rules) -> None:
        """The kernel has lost a guest (its table was thrown away by others): they are let in as before."""
        kbit = session.kbit(one, rules)
        try:
            address = self._open.address_of(one.mark)
            await self._gate.admit(address, one.mark, self._seconds(one, rules), Limits(*kbit))
            self._limits[one.mark] = kbit
        except NotApplied as error:
            self._faults.begin("kernel", str(error))

    async def _limit(self, mark: int, kbit: tuple[int, int]) -> None:
        if self._open.by_mark(mark) is None:
            return
        try:
            await self._gate.limit(mark, Limits(*kbit))
            self._limits[mark] = kbit
        except NotApplied as error:
            self._faults.begin("kernel", str(error))

    def _turn_timeless(self, rules: Rules) -> None:
        """A disaster has begun or ended: the kernel's own clocks are set for it."""
        if rules.timeless != self._timeless:
            self._timeless = rules.timeless
            self._to_prolong.update(one.mark for one in self._open)

    def _turn_boot(self, now: Stamp) -> None:
        """What is known from another boot goes by this one's clock, as soon as the wall clock can be trusted."""
        self._known.turn_to_this_boot(now)
        self._desk.turn_to_this_boot(now)

    def _turn_day(self, now: Stamp) -> None:
        if now.clock != "unset" and day_of(now.at_ms) != self._day:
            self._day = day_of(now.at_ms)
            self._known.forget_days_before(day_before(now.at_ms))
            self._book.unused |= self._desk.forget_over(now)

    # ---- after a restart

    async def restore(self) -> None:
        """Goes on with the sessions that the kernel lets through; all others have ended, and are told once."""
        kept = await self._until_disk_says()
        marks = await self._until_kernel_says()
        now = self._clock.stamp()
        self._desk.restore(kept.uses)
        for one in kept.sessions:
            address = marks.pop(one.mark, None) if one.boot == now.boot and not one.cause else None
            if address is not None:
                self._open.put(one, address)
            else:
                self._owe(one, now)
        self._turn_boot(now)
        # What the kernel lets through still although it ended, or nobody knows of it.
        self._to_remove.update(marks)
        await self._remove()
        self._ready.set()

    def _owe(self, one: Session, now: Stamp) -> None:
        cause: Cause = "lost"
        if one.boot != now.boot:
            cause = "power"
        elif 0 < one.ends_mono_ms <= now.mono_ms:
            cause = "time"
        self._open.owe(session.ended(one, cause, now.mono_ms))
        self._book.learn(one.mark, now)
        if one.boot == now.boot:
            # Its counters are in the kernel yet.
            self._to_remove.add(one.mark)

    async def _until_disk_says(self) -> Kept:
        while True:
            try:
                return await self._book.load()
            except NoRoom:
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def _until_kernel_says(self) -> dict[int, str]:
        """Marks and addresses of those that are let through."""
        while True:
            try:
                return {mark: address for address, mark in (await self._gate.admitted()).items()}
            except NotApplied as error:
                self._faults.begin("kernel", str(error))
                await asyncio.sleep(_AGAIN_AFTER_S)

    # ---- small things

    def _now(self) -> tuple[Stamp, Rules]:
        return self._clock.stamp(), self._rules()

    def _rules(self) -> Rules:
        values, mode = self._holder.now, self._mode()
        return Rules(
            session_minutes=values.session_minutes,
            extensions=values.extensions,
            idle_ms=values.idle_minutes * session.MINUTE_MS,
            quota_bytes=values.quota_mb * 1_000_000,
            down_kbit=values.down_kbit,
            up_kbit=values.up_kbit,
            slow_kbit=values.slow_kbit,
            open=mode.name not in ("closed", "off"),
            timeless=mode.name == "disaster",
        )

    def _names(self, address: str, now: Stamp) -> Names:
        """A device's (day, pseudonym) of today and of the day before."""
        days = day_of(now.at_ms), day_before(now.at_ms)
        return tuple((day, pseudonym(self._kit.day_key(day), address)) for day in days)

    def _find_known(self, names: Names, now: Stamp) -> Known | None:
        """Who that is: today's, or yesterday's with time left."""
        (_, today), (_, before) = names
        found = self._known.get(today)
        if found is not None:
            return found
        found = self._known.get(before)
        return found if found is not None and roaming.left_ms(found, now) else None

    def _seconds(self, one: Session, rules: Rules) -> int:
        left = session.left_ms(one, self._clock.stamp().mono_ms, rules)
        return _DISASTER_S if left is None else max(1, -(-left // 1000))

    async def _alone(self, address: str, work: Callable[[str], Coroutine[Any, Any, T]]) -> T:
        """One thing at a time for a device; it goes on to its end, whoever stops waiting for it. Raises Refused."""
        try:
            address = checked_address(address)
        except ValueError:
            # Not of one device (a group's, or none): the kernel would take no session for it.
            raise Refused("fault") from None
        lock = self._locks.setdefault(address, asyncio.Lock())

        async def locked() -> T:
            await self._until_ready()
            async with lock:
                return await work(address)

        task = asyncio.create_task(locked(), name="guest")
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def _until_ready(self) -> None:
        """A guest who comes while the agent starts waits a little. Raises Refused."""
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await self._ready.wait()
        except TimeoutError:
            raise Refused("fault") from None

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            # Whoever asked may have stopped waiting: then nobody else takes it.
            task.exception()

    async def close(self) -> None:
        """Waits for what is under way and closes the file."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._book.close()


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """At once: the gate makes one transaction of what comes together."""
    await asyncio.gather(*work)
