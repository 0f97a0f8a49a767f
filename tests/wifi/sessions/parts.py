"""What these tests share: a kernel written by hand, and an access point's guests with a real spool and a real disk."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Protocol

import msgspec

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.settings import Settings, WifiSettings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.firewall import Counted, Limits, NotApplied
from edge_agent.wifi.guests import Agreed, Guests, Normal
from edge_agent.wifi.kit_task import KitHolder
from hub.signing import Signing
from tests.clock.hand_time import HandTime
from wire import codec, kit, sealed, signed, x509
from wire.kit import DayKey, KitContent, Terms, Voucher
from wire.messages import Ack, Consent, Grant, Kit, Roam, WifiSession

HANAKO, TARO, JIRO = "02:00:5e:10:00:01", "02:00:5e:10:00:02", "02:00:5e:10:00:03"
AP = "wifi-1"
TODAY, TOMORROW = "2026-11-24", "2026-11-25"
KEYS = (DayKey(TODAY, bytes(range(32))), DayKey(TOMORROW, bytes(range(1, 33))))
VOUCHER_KEY = bytes(range(2, 34))
CODE = "ABCDEFGH23"
WITHIN_S = 60.0
MINUTE_MS = 60_000
CLICK = Agreed("2026-04", "ja-easy")


def content(**other: object) -> KitContent:
    """What a kit of the tests says."""
    plain = KitContent(
        "portal.town.example",
        "chain",
        "key",
        Terms("2026-04", {"ja": "規約"}),
        VOUCHER_KEY,
        (voucher(),),
        KEYS,
        place="図書館",
    )
    return msgspec.structs.replace(plain, **other)


def voucher(code: str = CODE, id_: str = "V-1", minutes: int = 240, devices: int = 1, until_ms: int = 2**45) -> Voucher:
    """One voucher."""
    return Voucher(kit.code_hash(VOUCHER_KEY, code), id_, minutes, devices, until_ms)


def sealed_for(state: Path, signing: Signing, said: KitContent, incarnation: str, generation: int) -> Kit:
    """A kit as the hub makes it for the access point in that folder."""
    public = x509.read_leaf((state / "identity" / "certificate.pem").read_bytes()).public_key()
    place = signed.kit_place_bytes(AP, incarnation, generation)
    return signing.kit(AP, incarnation, generation, sealed.seal(public, kit.pack(said), place))  # type: ignore[arg-type]


def roam_of(signing: Signing, grants: tuple[Grant, ...], made_ms: int, device: str = AP) -> Roam:
    """Grants, signed."""
    signature = signing._key.sign(signed.roam_bytes(device, grants, made_ms))
    return Roam(grants, made_ms, base64.urlsafe_b64encode(signature).decode().rstrip("="))


def files(folder: Path) -> list[Path]:
    """Every file in it."""
    return [path for path in folder.rglob("*") if path.is_file()]


class Mono(Protocol):
    """A clock that only goes on."""

    @property
    def mono_ms(self) -> int:
        """Milliseconds since boot."""
        ...


class Kernel:
    """What an access point's kernel does with guests: who is let through, until when, and what they used.

    Outlives the agent, not a boot. `broken` is said instead of doing anything, or what `broken_for` names.
    """

    def __init__(self, time: Mono) -> None:
        self._time = time
        self._of: dict[int, tuple[str, int]] = {}
        self._used: dict[int, Counted] = {}
        self.limits: dict[int, Limits] = {}
        self.broken = ""
        self.broken_for: tuple[str, ...] = ()
        self.calls: list[str] = []

    def boot(self) -> None:
        """The machine starts: nothing is known."""
        self._of, self._used, self.limits = {}, {}, {}

    def passes(self, address: str) -> bool:
        """Whether a packet of that device gets through now."""
        return any(at == address and ends > self._time.mono_ms for at, ends in self._of.values())

    def use(self, address: str, up: int, down: int) -> bool:
        """A device sends and receives; False when it is not let through."""
        for mark, (at, ends) in self._of.items():
            if at == address and ends > self._time.mono_ms:
                before = self._used[mark]
                self._used[mark] = Counted(before.up_bytes + up, before.down_bytes + down)
                return True
        return False

    def seconds(self, address: str) -> float:
        """How long it is let through yet."""
        return max((ends - self._time.mono_ms) / 1000 for at, ends in self._of.values() if at == address)

    def forget_counters(self) -> None:
        """Somebody set them back to nothing."""
        self._used = dict.fromkeys(self._used, Counted(0, 0))

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits) -> None:
        """See Gate."""
        await self._say("admit")
        self._of[mark] = address, self._time.mono_ms + seconds * 1000
        self._used.setdefault(mark, Counted(0, 0))
        self.limits[mark] = limits

    async def prolong(self, mark: int, seconds: int) -> None:
        """See Gate."""
        await self._say("prolong")
        if mark not in self._of:
            raise NotApplied("there is no session with this mark")
        self._of[mark] = self._of[mark][0], self._time.mono_ms + seconds * 1000

    async def limit(self, mark: int, limits: Limits) -> None:
        """See Gate."""
        await self._say("limit")
        self.limits[mark] = limits

    async def remove(self, mark: int) -> Counted:
        """See Gate."""
        await self._say("remove")
        self._of.pop(mark, None)
        self.limits.pop(mark, None)
        return self._used.pop(mark, Counted(0, 0))

    async def counters(self) -> dict[int, Counted]:
        """See Gate."""
        await self._say("counters")
        return dict(self._used)

    async def admitted(self) -> dict[str, int]:
        """See Gate."""
        await self._say("admitted")
        return {at: mark for mark, (at, ends) in self._of.items() if ends > self._time.mono_ms}

    async def _say(self, what: str) -> None:
        self.calls.append(what)
        await asyncio.sleep(0)
        if self.broken and (not self.broken_for or what in self.broken_for):
            raise NotApplied(self.broken)


class AccessPoint:
    """One agent of an access point, as far as guests go; time and the kernel outlive it."""

    def __init__(
        self, state: Path, time: HandTime, kernel: Kernel, *, max_bytes: int = 64 << 20, account_every_s: int = 1
    ) -> None:
        state.mkdir(exist_ok=True, parents=True)
        self.state, self.time, self.kernel = state, time, kernel
        self.settings = Settings(
            device=AP,
            kind="access_point",
            state_dir=str(state),
            wifi=WifiSettings(account_every_s=account_every_s, tell_every_s=300),
        )
        self.clock = Clock(state / "good-time", time)
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=max_bytes, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.holder = Holder(Effective(network_name="Town_Free"))
        self.kit = KitHolder(self.settings, self.spool, self.clock)
        self.mode = Normal()
        self.guests = Guests(self.settings, self.spool, self.clock, self.holder, kernel, self.kit, lambda: self.mode)

    def order(self, **values: object) -> None:
        """The town's rules are others now."""
        self.holder.put(msgspec.structs.replace(self.holder.now, **values))

    async def pass_time(self, ms: int, *, every_ms: int = 10_000, use: Callable[[], object] = lambda: None) -> None:
        """Time goes by, with a round every ten seconds."""
        while ms > 0:
            self.time.pass_ms(min(ms, every_ms))
            ms -= every_ms
            use()
            await self.guests.round()

    async def told(self) -> list[WifiSession]:
        """All that was told of sessions, in order."""
        return [codec.decode_body(one.kind, one.body) for one in await self.spool.recent("wifi_session", 100_000)]

    async def ends(self) -> dict[str, WifiSession]:
        """The sessions whose end was told; one that was told again after a kill was told the same."""
        found: dict[str, WifiSession] = {}
        for one in await self.told():
            if one.cause:
                first = found.setdefault(one.session, one)
                assert msgspec.structs.replace(one, number=first.number) == first
        return found

    async def consents(self) -> list[Consent]:
        """All consents, in order."""
        return [codec.decode_body(one.kind, one.body) for one in await self.spool.recent("consent", 100_000)]

    async def hub_takes_all(self) -> None:
        """The hub has everything so far."""
        spool = await self.spool.spool_id()
        for lane in ("urgent", "bulk"):
            after = await self.spool.cursor(lane)
            while (batch := await self.spool.batch(lane, after)) is not None:
                after = batch.through
            await self.spool.take_ack(Ack(spool, lane, after))


@contextlib.asynccontextmanager
async def running(
    state: Path, time: HandTime, kernel: Kernel, *, with_kit: bool = True, max_bytes: int = 64 << 20
) -> AsyncIterator[AccessPoint]:
    """An access point for the length of a `with`; it ends as a killed process does, without a word."""
    one = AccessPoint(state, time, kernel, max_bytes=max_bytes)
    if with_kit:
        give_kit(one, content())
    await one.guests.restore()
    await one.guests.round()
    try:
        yield one
    finally:
        await one.guests.close()
        one.spool.close()


def give_kit(one: AccessPoint, said: KitContent) -> None:
    """The kit counts, without the hub's way of sending it."""
    one.kit.use(msgspec.structs.replace(one.kit.kept, incarnation="1" * 32, generation=1, content=said))
