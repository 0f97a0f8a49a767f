"""Loop: guests of this access point, from the tap of "agree" to the end of their session. Nothing waits for the hub.

1. A consent is in the spool before the guest is let in and the page says so; where the disk has no room for it, the
   guest is told. Agreeing twice is agreeing once.
2. The order of writing is: the session onto this disk, the consent and the session's beginning into the spool, the
   mark into the kernel. A power cut between two of them leaves a session that is told as ended, never one that is
   forgotten open, and never a guest inside without a consent.
3. A round counts everybody with one call of the kernel, writes once to this disk and once to the spool.
4. An end is on this disk before it is told, so that it is told the same again after a restart.
5. A restart of the agent goes on with what the kernel lets through. After a power cut each session ended at its last
   sign of life.
6. A telling that the hub does not have yet is not followed by another of the same session, but for its end: an outage
   of days fills no disk.
7. In a disaster nobody agrees to anything: each device that is seen has a session of its own, without an end and
   without a quota, so that what was used is known. Sessions from before go on; their time stands still for nobody, but
   ends no session while the disaster lasts.
"""

import asyncio
import contextlib
import logging
import secrets
import weakref
from collections.abc import Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec

from edge_agent.clock import Clock, Stamp
from edge_agent.effective import Holder
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import roaming, session, voucher_use
from edge_agent.wifi.firewall import Counted, Limits, NotApplied
from edge_agent.wifi.japan_day import day_before, day_of
from edge_agent.wifi.kit_task import KitHolder
from edge_agent.wifi.open_sessions import OpenSessions
from edge_agent.wifi.roaming import Known, KnownGuests
from edge_agent.wifi.session import Rules, Session
from edge_agent.wifi.session_store import FILE, AsyncStore, Change, NotKept, SessionStore
from edge_agent.wifi.voucher_use import Use
from wire.kit import KitContent, Voucher, code_hash, pseudonym
from wire.messages import Cause, Consent, Grant, Roam, TermsLanguage, Way, WifiSession

log = logging.getLogger(__name__)

T = TypeVar("T")

MOST_SESSIONS = 4096
# So long the kernel lets a guest through in a disaster, whose end nobody knows.
_DISASTER_S = 30 * 86_400
_AGAIN_AFTER_S = 3.0

Reason = Literal[
    "closed", "voucher_unknown", "voucher_used", "voucher_over", "extensions", "full", "disk", "fault", "unconfirmed"
]


class Refused(Exception):
    """A guest is not let in, or not for longer; `reason` is one of a few words. `fault`: the kernel did not take it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Standing(msgspec.Struct, frozen=True):
    """How it stands with a guest who is let in. `seconds_left` is None where no time runs out (`ends_ms` is then 0),
    `bytes_left` None where there is no quota, or it is used up and the guest is slowed. `provisional`: until an address
    is confirmed."""

    session: str
    ends_ms: int
    seconds_left: int | None
    bytes_left: int | None
    extensions_left: int
    slowed: bool
    way: Way
    provisional: bool = False
    terms: str = ""


class Agreed(msgspec.Struct, frozen=True):
    """What a guest agreed to. `voucher` is the code as it was typed. `contact` is sealed to the session's id, which is
    then drawn beforehand (`session`, 32 hex digits)."""

    terms: str
    language: TermsLanguage
    way: Way = "click"
    voucher: str | None = None
    contact: str = ""
    contact_key: str = ""
    session: str = ""


class ModeNow(Protocol):
    """The mode of the access point, as far as guests go by it."""

    @property
    def name(self) -> str:
        """`normal`, `closed`, `disaster`, `drill` or `off`."""
        ...

    @property
    def network_name(self) -> str:
        """The network on the air; empty for the town's usual one."""
        ...


class Normal(msgspec.Struct, frozen=True):
    """The mode where nobody says another."""

    name: str = "normal"
    network_name: str = ""


class Gate(Protocol):
    """What lets packets through: `firewall.Firewall`, or `nothing.Nothing`."""

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits) -> None:
        """Lets a device through for so long."""
        ...

    async def prolong(self, mark: int, seconds: int) -> None:
        """From now on for so long."""
        ...

    async def limit(self, mark: int, limits: Limits) -> None:
        """Another speed, for what is under way too."""
        ...

    async def remove(self, mark: int) -> Counted:
        """Lets it through no more, nor what is under way; what it used in all."""
        ...

    async def counters(self) -> dict[int, Counted]:
        """Bytes since each was let in."""
        ...

    async def admitted(self) -> dict[str, int]:
        """Which addresses are let through, and their marks."""
        ...


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
        self._spool, self._clock, self._holder, self._gate, self._kit = spool, clock, holder, gate, kit
        self._mode = mode
        self._every_s = settings.wifi.account_every_s
        self._tell_every_ms = settings.wifi.tell_every_s * 1000
        path = Path(settings.state_dir) / FILE
        self._store = AsyncStore(lambda: SessionStore(path))
        self._open = OpenSessions()
        self._known = KnownGuests()
        self._uses: dict[str, list[Use]] = {}
        self._unused: set[str] = set()
        self._vouchers: dict[str, Voucher] = {}
        self._limits: dict[int, tuple[int, int]] = {}
        self._seqs: dict[int, int] = {}
        self._to_remove: set[int] = set()
        self._to_prolong: set[int] = set()
        self._timeless = False
        self._day = ""
        self._ready = asyncio.Event()
        self._stir = asyncio.Event()
        self._rounds, self._writing = asyncio.Lock(), asyncio.Lock()
        self._locks: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        self._under_way: set[asyncio.Task[Any]] = set()
        self._faults: set[str] = set()
        self._take_kit(kit.now)
        kit.watch(self._take_kit)
        kit.watch_roam(self._take_roam)
        holder.watch(lambda _: self.stir())

    # ---- what the portal asks

    def standing(self, address: str) -> Standing | None:
        """How it stands with a device; None for one that is not let in."""
        found = self._open.of(address.lower())
        now, rules = self._clock.stamp(), self._rules()
        if found is None or session.end_by_itself(found, now.mono_ms, rules) in ("time", "closed"):
            return None
        return _standing(found, now, rules)

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
            log.info("a device that is known was not let in: %s", refused.reason)
            return None

    async def leave(self, address: str) -> None:
        """A guest wants to be off."""
        found = self._open.of(address.lower())
        if found is not None:
            await self._finish({found.mark: "user"})

    async def end(self, session_id: str, cause: Cause) -> bool:
        """Ends one session; False when there is none of that id."""
        found = self._open.by_id(session_id)
        if found is None:
            return False
        await self._finish({found.mark: cause})
        return True

    @property
    def count(self) -> int:
        """How many are let in."""
        return len(self._open)

    # ---- agreeing

    async def _agree(self, address: str, agreed: Agreed) -> Standing:
        now, rules = self._clock.stamp(), self._rules()
        if not rules.open:
            raise Refused("closed")
        present = await self._live(address)
        if agreed.voucher:
            return await self._agree_with_voucher(address, agreed, agreed.voucher, present)
        if present is not None:
            return _standing(present, now, rules)
        names = self._names(address, now)
        drawn = self._draw(names, agreed.way, now, agreed.session)
        try:
            drawn = self._with_time(drawn, self._find_known(names, now), rules, now, asks=agreed.way == "email")
        except Refused:
            self._open.release(drawn.mark)
            raise
        drawn = msgspec.structs.replace(drawn, terms=agreed.terms, language=agreed.language)
        return await self._begin(address, drawn, now, _consent(drawn, agreed))

    def _with_time(self, drawn: Session, known: Known | None, rules: Rules, now: Stamp, *, asks: bool) -> Session:
        """With how long it lasts: a new time, the rest of one, or an extension of one that is over. Raises Refused."""
        whole_ms = rules.session_minutes * session.MINUTE_MS
        lasts_ms = whole_ms
        if known is not None and known.way != "disaster":
            left = roaming.left_ms(known, now)
            extensions = known.extensions
            if left:
                lasts_ms, whole_ms = left, (known.whole_ms or left)
            elif known.day != drawn.day or known.voucher:
                return self._ending(drawn, lasts_ms, whole_ms, asks=asks)
            elif extensions >= rules.extensions:
                raise Refused("extensions")
            else:
                extensions += 1
            drawn = msgspec.structs.replace(
                drawn,
                origin=known.origin,
                extensions=extensions,
                before_up=known.up_bytes,
                before_down=known.down_bytes,
                terms=known.terms,
                voucher=known.voucher if left else "",
            )
        return self._ending(drawn, lasts_ms, whole_ms, asks=asks)

    def _ending(self, drawn: Session, lasts_ms: int, whole_ms: int, *, asks: bool) -> Session:
        if asks:
            lasts_ms = min(session.PROVISIONAL_MINUTES * session.MINUTE_MS, whole_ms)
        return msgspec.structs.replace(
            drawn, ends_mono_ms=drawn.began_mono_ms + lasts_ms, whole_ms=whole_ms if asks else 0
        )

    def _draw(self, names: Sequence[tuple[str, str]], way: Way, now: Stamp, id_: str = "") -> Session:
        """A session with a mark of its own. Raises Refused."""
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
        begins = session.told(drawn, now.mono_ms, self._tell_every_ms)
        bodies: list[tuple[str, msgspec.Struct]] = [("wifi_session", session.telling(begins))]
        if consent is not None:
            bodies.insert(0, ("consent", consent))
        try:
            await self._keep_new(begins, bodies, now)
        except BaseException:
            self._open.release(begins.mark)
            raise
        await self._keep_use(use)
        self._open.put(begins, address)
        rules = self._rules()
        await self._admit(address, begins, rules)
        return _standing(begins, now, rules)

    async def _keep_new(self, begins: Session, bodies: list[tuple[str, msgspec.Struct]], now: Stamp) -> None:
        try:
            await self._store.write(Change(sessions=(begins,)))
        except NotKept as error:
            self._fault("store", f"the sessions of the Wi-Fi cannot be kept: {error}")
            raise Refused("disk") from error
        try:
            self._seqs[begins.mark] = (await self._spool.append_many(bodies, now))[-1]
        except SpoolFull as error:
            self._open.gone.add(begins.mark)
            self._fault("spool", "the spool is full: no guest is received")
            raise Refused("disk") from error

    async def _keep_use(self, use: Use | None) -> None:
        """The consent is kept already: a disk that does not take this as well keeps nobody out."""
        if use is not None:
            try:
                await self._store.write(Change(uses=(use,)))
            except NotKept as error:
                self._fault("store", f"the sessions of the Wi-Fi cannot be kept: {error}")

    async def _admit(self, address: str, begins: Session, rules: Rules) -> None:
        kbit = session.kbit(begins, rules)
        try:
            await self._gate.admit(address, begins.mark, self._seconds(begins, rules), Limits(*kbit))
        except NotApplied as error:
            self._fault("kernel", f"the kernel does not take a guest: {error}")
            await self._finish({begins.mark: "lost"})
            raise Refused("fault") from error
        self._limits[begins.mark] = kbit

    # ---- vouchers

    async def _agree_with_voucher(self, address: str, agreed: Agreed, code: str, present: Session | None) -> Standing:
        now = self._clock.stamp()
        names = self._names(address, now)
        use = self._use(code, names, now)
        before = self._note_use(use)
        try:
            if present is not None:
                return await self._turn_to_voucher(present, agreed, use)
            drawn = self._draw(names, "voucher", now, agreed.session)
            drawn = msgspec.structs.replace(
                drawn,
                terms=agreed.terms,
                language=agreed.language,
                voucher=use.voucher,
                ends_mono_ms=now.mono_ms + voucher_use.left_ms(use, now),
            )
            return await self._begin(address, drawn, now, _consent(drawn, agreed, use.voucher), use)
        except Refused:
            self._uses[use.voucher] = before
            raise

    async def _turn_to_voucher(self, present: Session, agreed: Agreed, use: Use) -> Standing:
        """A guest who is let in gets the time of a voucher, with the same session."""
        if present.voucher == use.voucher:
            return _standing(present, self._clock.stamp(), self._rules())
        now = self._clock.stamp()
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
        return await self._lengthen(present, new, _consent(present, agreed, use.voucher), use)

    def _use(self, code: str, names: Sequence[tuple[str, str]], now: Stamp) -> Use:
        """What a code gives to a device. Raises Refused."""
        content = self._kit.now
        voucher = self._vouchers.get(code_hash(content.voucher_key, code)) if content else None
        if voucher is None:
            raise Refused("voucher_unknown")
        busy = frozenset(one.guest for one in self._open if one.voucher == voucher.id)
        found = voucher_use.use(voucher, self._uses.get(voucher.id, []), names, now, busy=busy)
        if isinstance(found, str):
            raise Refused(found)
        return found

    def _note_use(self, use: Use) -> list[Use]:
        """At once, before it is on disk: two who type the same code at the same time are two. The uses before."""
        before = self._uses.get(use.voucher, [])
        self._uses[use.voucher] = [*(one for one in before if one.place != use.place), use]
        return before

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
        now, rules = self._clock.stamp(), self._rules()
        if not rules.open:
            raise Refused("closed")
        names = self._names(address, now)
        known = self._find_known(names, now)
        if known is not None and known.whole_ms:
            raise Refused("unconfirmed")
        if known is None or (known.day != names[0][0] and not roaming.left_ms(known, now)):
            raise Refused("extensions")
        drawn = self._draw(names, known.way, now)
        try:
            drawn = self._with_time(drawn, known, rules, now, asks=False)
        except Refused:
            self._open.release(drawn.mark)
            raise
        return await self._begin(address, drawn, now)

    async def _confirm(self, address: str) -> Standing:
        present = await self._live(address)
        if present is None:
            raise Refused("extensions")
        if not present.provisional:
            return _standing(present, self._clock.stamp(), self._rules())
        consent = Consent(present.id, present.terms, present.language, present.way, confirmed=True)
        return await self._lengthen(present, session.confirmed(present), consent)

    async def _lengthen(
        self, old: Session, new: Session, consent: Consent | None = None, use: Use | None = None
    ) -> Standing:
        """A session lasts longer: on disk before the guest is told. Raises Refused."""
        self._open.change(new)
        now, rules = self._clock.stamp(), self._rules()
        try:
            await self._store.write(Change(sessions=(new,)))
            if consent is not None:
                await self._spool.append("consent", consent, now)
        except (NotKept, SpoolFull) as error:
            self._shorten(old)
            raise Refused("disk") from error
        await self._keep_use(use)
        if self._open.by_mark(new.mark) is not None:
            await self._prolong(new, rules)
        self.stir()
        return _standing(self._open.by_mark(new.mark) or new, now, rules)

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
            self._fault("kernel", f"the kernel does not take a longer time: {error}")

    # ---- without the page

    async def _arrive(self, address: str) -> Standing | None:
        present = await self._live(address)
        now, rules = self._clock.stamp(), self._rules()
        if present is not None:
            return _standing(present, now, rules)
        if not rules.open:
            return None
        names = self._names(address, now)
        known = self._find_known(names, now)
        if known is not None and known.welcome and roaming.left_ms(known, now):
            drawn = self._with_time(self._draw(names, "roam", now), known, rules, now, asks=False)
            return await self._begin(address, drawn, now)
        if rules.timeless:
            return await self._begin(address, self._draw(names, "disaster", now), now)
        return None

    def _take_roam(self, told: Roam) -> None:
        """Grants that are the hub's word."""
        now, rules = self._clock.stamp(), self._rules()
        here = {one.origin or one.id: one for one in self._open}
        for grant in told.grants:
            known = self._known.learn(roaming.of_grant(grant, told.made_ms, now), now)
            present = here.get(grant.origin)
            if present is not None and present.ends_mono_ms and known.extensions > present.extensions:
                # The guest had it extended at another access point.
                ends = max(present.ends_mono_ms, now.mono_ms + roaming.left_ms(known, now))
                new = msgspec.structs.replace(present, ends_mono_ms=ends, extensions=known.extensions)
                self._open.change(new)
                self._to_prolong.add(present.mark)
        if rules.open:
            self.stir()

    # ---- ending

    async def _live(self, address: str) -> Session | None:
        """The session of a device; one whose time is over is ended first."""
        await self._ready.wait()
        found = self._open.of(address)
        if found is None:
            return None
        cause = session.end_by_itself(found, self._clock.stamp().mono_ms, self._rules())
        if cause in ("time", "closed"):
            await self._finish({found.mark: cause})
            return None
        return self._open.of(address)

    async def _finish(self, causes: dict[int, Cause]) -> None:
        """Ends sessions now: nothing passes any more when it returns, and what was used is whole."""
        now = self._clock.stamp()
        for mark, cause in causes.items():
            if self._open.by_mark(mark) is not None:
                self._end(mark, cause, now)
        await self._remove()
        await self._settle()

    def _end(self, mark: int, cause: Cause, now: Stamp) -> None:
        self._open.end(mark, cause, now.mono_ms)
        self._limits.pop(mark, None)
        self._seqs.pop(mark, None)
        self._to_prolong.discard(mark)
        self._to_remove.add(mark)

    async def _remove(self) -> None:
        """Out of the kernel, all at once; what each had used by then is counted, and their guests are known."""
        await _all(self._remove_one(mark) for mark in list(self._to_remove))

    async def _remove_one(self, mark: int) -> None:
        try:
            used = await self._gate.remove(mark)
        except NotApplied as error:
            self._fault("kernel", f"the kernel does not let go of a guest: {error}")
            return
        if mark not in self._to_remove:
            return
        self._to_remove.discard(mark)
        over = self._open.by_owed(mark)
        if over is not None:
            now = self._clock.stamp()
            self._open.owe(session.counted(over, used.up_bytes, used.down_bytes, now.mono_ms, self._rules()))
            self._learn(over.mark, now)

    def _learn(self, mark: int, now: Stamp) -> None:
        over = self._open.by_owed(mark)
        if over is not None and over.way != "disaster":
            self._known.learn(roaming.of_session(over, now), now)

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
            now, rules = self._clock.stamp(), self._rules()
            self._turn_day(now)
            self._turn_timeless(rules)
            limits = self._look(counted, now, rules)
            await self._enforce(limits, rules)
            await self._settle()

    async def _counters(self) -> dict[int, Counted] | None:
        try:
            counted = await self._gate.counters()
        except NotApplied as error:
            self._fault("kernel", f"the kernel does not say what guests used: {error}")
            return None
        self._well("kernel")
        return counted

    def _look(self, counted: dict[int, Counted] | None, now: Stamp, rules: Rules) -> list[tuple[int, tuple[int, int]]]:
        """What each session is now; which are to go at another speed."""
        limits = []
        for one in self._open:
            new = _with_count(one, counted or {}, now, rules)
            cause = session.end_by_itself(new, now.mono_ms, rules)
            if cause and (counted is not None or cause != "idle"):
                self._open.count(new)
                self._end(new.mark, cause, now)
                self._learn(new.mark, now)
                continue
            over = session.is_over_quota(new, rules)
            if over != new.slowed or (not new.sure and now.clock == "synced"):
                due = 0 if over != new.slowed else new.due_mono_ms
                new = session.with_clock(msgspec.structs.replace(new, slowed=over, due_mono_ms=due), now)
                self._open.change(new)
            elif new is not one:
                self._open.count(new)
            kbit = session.kbit(new, rules)
            if self._limits.get(new.mark) != kbit:
                limits.append((new.mark, kbit))
        return limits

    async def _enforce(self, limits: list[tuple[int, tuple[int, int]]], rules: Rules) -> None:
        await self._remove()
        await _all(self._limit(mark, kbit) for mark, kbit in limits)
        longer = [one for one in map(self._open.by_mark, self._to_prolong) if one is not None]
        await _all(self._prolong(one, rules) for one in longer)

    async def _limit(self, mark: int, kbit: tuple[int, int]) -> None:
        if self._open.by_mark(mark) is None:
            return
        try:
            await self._gate.limit(mark, Limits(*kbit))
            self._limits[mark] = kbit
        except NotApplied as error:
            self._fault("kernel", f"the kernel does not take another speed: {error}")

    def _turn_timeless(self, rules: Rules) -> None:
        """A disaster has begun or ended: the kernel's own clocks are set for it."""
        if rules.timeless != self._timeless:
            self._timeless = rules.timeless
            self._to_prolong.update(one.mark for one in self._open)

    def _turn_day(self, now: Stamp) -> None:
        if now.clock != "unset" and day_of(now.at_ms) != self._day:
            self._day = day_of(now.at_ms)
            self._known.forget_days_before(day_before(now.at_ms))
            self._note_unused(now)

    def _note_unused(self, now: Stamp) -> None:
        """Vouchers that no kit names any more and whose time is over are forgotten."""
        named = {voucher.id for voucher in self._vouchers.values()}
        for id_, uses in list(self._uses.items()):
            if id_ not in named and not any(voucher_use.left_ms(use, now) for use in uses):
                del self._uses[id_]
                self._unused.add(id_)

    # ---- onto the disk, and to the hub

    async def _settle(self) -> None:
        """What changed onto this disk, then what is due into the spool."""
        async with self._writing:
            acked = await self._spool.cursor("bulk")
            now = self._clock.stamp()
            tells = self._number(now, acked)
            if await self._save() and tells:
                await self._tell(tells, now)

    def _number(self, now: Stamp, acked: int) -> list[Session]:
        """What is to be told now, with its number.

        One whose last telling the hub does not have yet waits; one that ended, until what it used is whole.
        """
        tells = []
        for one in (*self._open.owed, *self._open):
            waits = one.mark in self._to_remove if one.cause else self._seqs.get(one.mark, 0) > acked
            if not waits and session.is_due(one, now.mono_ms):
                new = session.told(one, now.mono_ms, self._tell_every_ms)
                tells.append(new)
                if one.cause:
                    self._open.owe(new)
                else:
                    self._open.change(new)
        return tells

    async def _save(self) -> bool:
        """One transaction. False when the disk did not take it: then all of it counts as changed still."""
        changed, counted, gone = self._open.changed, self._open.counted, self._open.gone
        self._open.changed, self._open.counted, self._open.gone = set(), set(), set()
        guests, unused = self._known.take_changed(), self._unused
        self._unused = set()
        known = [one for one in map(self._known.get, guests) if one is not None]
        change = Change(
            sessions=self._now(changed),
            counted=self._now(counted - changed),
            gone=tuple(gone),
            known=known,
            forgotten=tuple(guest for guest in guests if self._known.get(guest) is None),
            unused=tuple(unused),
        )
        try:
            await self._store.write(change)
        except NotKept as error:
            self._fault("store", f"the sessions of the Wi-Fi cannot be kept: {error}")
            self._open.changed |= changed
            self._open.counted |= counted
            self._open.gone |= gone
            self._known.give_back(guests)
            self._unused |= unused
            return False
        self._well("store")
        return True

    def _now(self, marks: set[int]) -> list[Session]:
        return [one for one in map(self._open.now, marks) if one is not None]

    async def _tell(self, tells: list[Session], now: Stamp) -> None:
        bodies: list[tuple[str, WifiSession]] = [("wifi_session", session.telling(one)) for one in tells]
        try:
            seqs = await self._spool.append_many(bodies, now)
        except SpoolFull:
            # An end is offered again in the next round.
            self._fault("spool", "the spool is full: sessions cannot be told")
            return
        self._well("spool")
        for one, seq in zip(tells, seqs, strict=True):
            if one.cause:
                self._open.told(one.mark)
            elif self._open.by_mark(one.mark) is not None:
                self._seqs[one.mark] = seq

    # ---- after a restart

    async def restore(self) -> None:
        """Goes on with the sessions that the kernel lets through; all others have ended, and are told once."""
        kept = await self._store.load()
        marks = await self._until_kernel_says()
        now = self._clock.stamp()
        self._known.restore(kept.known)
        for use in kept.uses:
            self._uses.setdefault(use.voucher, []).append(use)
        for one in kept.sessions:
            address = marks.pop(one.mark, None) if one.boot == now.boot and not one.cause else None
            if address is not None:
                self._open.put(one, address)
            else:
                self._owe(one, now)
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
        self._learn(one.mark, now)
        if one.boot == now.boot:
            # Its counters are in the kernel yet.
            self._to_remove.add(one.mark)

    async def _until_kernel_says(self) -> dict[int, str]:
        """Marks and addresses of those that are let through."""
        while True:
            try:
                return {mark: address for address, mark in (await self._gate.admitted()).items()}
            except NotApplied as error:
                self._fault("kernel", f"the kernel does not say who is let through: {error}")
                await asyncio.sleep(_AGAIN_AFTER_S)

    # ---- small things

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

    def _names(self, address: str, now: Stamp) -> tuple[tuple[str, str], tuple[str, str]]:
        """A device's (day, pseudonym) of today and of the day before."""
        today, before = day_of(now.at_ms), day_before(now.at_ms)
        key = self._kit.day_key
        return (today, pseudonym(key(today), address)), (before, pseudonym(key(before), address))

    def _find_known(self, names: Sequence[tuple[str, str]], now: Stamp) -> Known | None:
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

    def _take_kit(self, content: KitContent | None) -> None:
        self._vouchers = {voucher.code: voucher for voucher in content.vouchers} if content else {}

    def _fault(self, what: str, sentence: str) -> None:
        if what not in self._faults:
            self._faults.add(what)
            log.warning("%s", sentence)

    def _well(self, what: str) -> None:
        if what in self._faults:
            self._faults.discard(what)
            log.warning("the Wi-Fi's %s is well again", what)

    async def _alone(self, address: str, work: Callable[[str], Coroutine[Any, Any, T]]) -> T:
        """One thing at a time for a device; it goes on to its end, whoever stops waiting for it."""
        address = address.lower()
        lock = self._locks.setdefault(address, asyncio.Lock())

        async def locked() -> T:
            await self._ready.wait()
            async with lock:
                return await work(address)

        task = asyncio.create_task(locked(), name="guest")
        self._under_way.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()

    async def close(self) -> None:
        """Waits for what is under way and closes the file."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await asyncio.to_thread(self._store.close)


async def _all(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """At once: the gate makes one transaction of what comes together."""
    await asyncio.gather(*work)


def _with_count(one: Session, counted: dict[int, Counted], now: Stamp, rules: Rules) -> Session:
    found = counted.get(one.mark)
    return one if found is None else session.counted(one, found.up_bytes, found.down_bytes, now.mono_ms, rules)


def _standing(one: Session, now: Stamp, rules: Rules) -> Standing:
    left = session.left_ms(one, now.mono_ms, rules)
    return Standing(
        one.id,
        0 if left is None else now.at_ms + left,
        None if left is None else left // 1000,
        session.bytes_left(one, rules),
        session.extensions_left(one, rules),
        one.slowed,
        one.way,
        one.provisional,
        one.terms,
    )


def _consent(one: Session, agreed: Agreed, voucher: str = "") -> Consent:
    way: Way = "voucher" if voucher else agreed.way
    return Consent(one.id, agreed.terms, agreed.language, way, voucher, agreed.contact, agreed.contact_key)
