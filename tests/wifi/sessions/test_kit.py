"""The access point follows the kits that the hub sends: signed, sealed to it, newer; and forgets keys of past days."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import town_kit
from edge_agent.wifi.kit_task import KitHolder
from hub.signing import Signing
from tests.certificates import pki
from tests.clock.hand_time import HandTime
from tests.wifi.sessions.parts import (
    AP,
    KEYS,
    TODAY,
    TOMORROW,
    WITHIN_S,
    content,
    roam_of,
    sealed_for,
)
from wire import codec, kit, sealed, signed, x509
from wire.kit import DayKey, KitContent
from wire.messages import Grant, Kit, KitReport, Roam

FIRST, LATER = "1" * 32, "2" * 32
YESTERDAY = "2026-11-23"
GRANT = Grant("a" * 32, "b" * 32, TODAY, 1_795_480_000_000, 1, 10, 20, "2026-04")


class Holding:
    """The access point's own loop of kits with a real spool."""

    def __init__(self, state: Path, time: HandTime) -> None:
        self.state = state
        self.clock = Clock(state / "good-time", time)
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.barred = False
        settings = Settings(device=AP, kind="access_point", state_dir=str(state))
        self.kit = KitHolder(settings, self.spool, self.clock, lambda: self.barred)
        self.used: list[KitContent | None] = []
        self.kit.watch(self.used.append)

    async def reports(self) -> list[KitReport]:
        """What it told, in order."""
        return [codec.decode_body(one.kind, one.body) for one in await self.spool.recent("kit_report", 1000)]

    async def follows(self, told: Kit) -> KitReport:
        """What became of a kit."""
        before = len(await self.reports())
        self.kit.take(told)
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.reports()) == before:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
            while found[-1].result == "applied" and town_kit.load(self.state).reported != found[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found[-1]


@contextlib.asynccontextmanager
async def holding(state: Path, time: HandTime) -> AsyncIterator[Holding]:
    """One for the length of a `with`; it ends as a killed process does."""
    one = Holding(state, time)
    task = asyncio.create_task(one.kit.run())
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        one.spool.close()


@pytest.fixture
def time() -> HandTime:
    """Time by hand."""
    return HandTime()


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """The hub's signature."""
    return Signing(tmp_path / "office")


@pytest.fixture
def state(tmp_path: Path, signing: Signing) -> Path:
    """An access point's folder that knows the hub."""
    folder = tmp_path / "state"
    pki().identity(AP, folder / "identity")
    (folder / "identity" / "orders.pub").write_text(signing.public + "\n")
    return folder


async def test_it_counts_is_told_and_is_there_after_a_restart(state: Path, signing: Signing, time: HandTime) -> None:
    async with holding(state, time) as one:
        assert (one.kit.followed, one.kit.now) == (("", 0), None)
        own = one.kit.day_key(TODAY)
        assert own == one.kit.day_key(TODAY) != one.kit.day_key(TOMORROW)
        report = await one.follows(sealed_for(state, signing, content(), FIRST, 1))
        assert report == KitReport(FIRST, 1)
        assert (one.kit.now, one.used) == (content(), [content()])
        assert one.kit.day_key(TODAY) == KEYS[0].key
        # The same again is told again; newer counts, of another incarnation too.
        assert await one.follows(sealed_for(state, signing, content(), FIRST, 2)) == KitReport(FIRST, 2)
        assert await one.follows(sealed_for(state, signing, content(place="公民館"), LATER, 1)) == KitReport(LATER, 1)
        assert len(one.used) == 2
    assert (state / town_kit.FILE).stat().st_mode & 0o777 == 0o600
    async with holding(state, time) as one:
        assert one.kit.followed == (LATER, 1)
        assert one.kit.now == content(place="公民館")
        assert len(await one.reports()) == 3
    # Damaged, it is none, and the hub sends it again.
    path = state / town_kit.FILE
    raw = bytearray(path.read_bytes())
    raw[-10] ^= 1
    path.write_bytes(raw)
    async with holding(state, time) as one:
        assert (one.kit.followed, one.kit.now) == (("", 0), None)


async def test_the_same_again_is_told_again(state: Path, signing: Signing, time: HandTime) -> None:
    async with holding(state, time) as one:
        told = sealed_for(state, signing, content(), FIRST, 1)
        assert await one.follows(told) == await one.follows(told)


async def test_what_is_older_or_not_the_hubs_or_not_for_it_changes_nothing(
    state: Path, signing: Signing, time: HandTime, tmp_path: Path
) -> None:
    good = sealed_for(state, signing, content(), LATER, 5)
    public = x509.read_leaf((state / "identity" / "certificate.pem").read_bytes()).public_key()

    def otherwise(plain: bytes, about: bytes) -> Kit:
        return signing.kit(AP, LATER, 9, sealed.seal(public, plain, about))  # type: ignore[arg-type]

    place = signed.kit_place_bytes(AP, LATER, 9)
    bad = [
        (sealed_for(state, signing, content(), LATER, 4), "older"),
        (sealed_for(state, signing, content(place="x"), LATER, 5), "older"),
        (sealed_for(state, signing, content(), FIRST, 99), "older"),
        (msgspec.structs.replace(good, generation=6), "signature"),
        (msgspec.structs.replace(good, sealed=good.sealed[:-4] + "AAAA"), "signature"),
        (sealed_for(state, Signing(tmp_path / "another"), content(), LATER, 6), "signature"),
        (otherwise(kit.pack(content()), signed.kit_place_bytes(AP, LATER, 8)), "sealed"),
        (otherwise(kit.pack(content()), signed.roster_place_bytes(AP, LATER, 9)), "sealed"),
        (otherwise(b"not a kit", place), "content"),
        (signing.kit(AP, LATER, 9, b""), "sealed"),
    ]
    async with holding(state, time) as one:
        await one.follows(good)
        for told, why in bad:
            assert await one.follows(told) == KitReport(LATER, 5, "refused", why)
        assert one.used == [content()]
        (state / "identity" / "orders.pub").unlink()
        assert (await one.follows(sealed_for(state, signing, content(), LATER, 6))).error == "no_key"


async def test_one_that_is_being_wiped_takes_none_and_removes_what_it_has(
    state: Path, signing: Signing, time: HandTime
) -> None:
    async with holding(state, time) as one:
        await one.follows(sealed_for(state, signing, content(), FIRST, 1))
        one.barred = True
        one.kit.take(sealed_for(state, signing, content(place="x"), FIRST, 2))
        async with asyncio.timeout(WITHIN_S):
            while one.kit.now is not None:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        assert not (state / town_kit.FILE).exists()
        assert one.used == [content(), None]


async def test_keys_of_past_days_go_from_memory_and_disk(state: Path, signing: Signing, time: HandTime) -> None:
    old = DayKey(YESTERDAY, b"y" * 32)
    async with holding(state, time) as one:
        await one.follows(sealed_for(state, signing, content(day_keys=(old, *KEYS)), FIRST, 1))
        assert one.kit.day_key(YESTERDAY) == old.key
        # The next kit has today's no more; yesterday's is needed until today is over.
        time.pass_ms(86_400_000)
        later = DayKey("2026-11-26", b"z" * 32)
        await one.follows(sealed_for(state, signing, content(day_keys=(KEYS[1], later)), FIRST, 2))
        assert one.kit.day_key(TODAY) == KEYS[0].key
        assert one.kit.day_key(YESTERDAY) != old.key
        kept = town_kit.load(state)
        assert town_kit.key_of(kept, YESTERDAY) is None
        assert town_kit.key_of(kept, TODAY) == KEYS[0].key
        time.pass_ms(86_400_000)
        one.kit.take_roam(roam_of(signing, (), 0))
        async with asyncio.timeout(WITHIN_S):
            while town_kit.key_of(town_kit.load(state), TODAY) is not None:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        assert one.kit.day_key(TODAY) != KEYS[0].key


async def test_grants_are_the_hubs_word_for_this_access_point(
    state: Path, signing: Signing, time: HandTime, tmp_path: Path
) -> None:
    good = roam_of(signing, (GRANT,), 7)
    forged = [
        msgspec.structs.replace(good, made_ms=8),
        msgspec.structs.replace(good, grants=(msgspec.structs.replace(GRANT, ends_ms=2**45),)),
        roam_of(Signing(tmp_path / "another"), (GRANT,), 7),
        roam_of(signing, (GRANT,), 7, "wifi-2"),
    ]
    async with holding(state, time) as one:
        heard: list[Roam] = []
        one.kit.watch_roam(heard.append)
        for told in (*forged, good):
            one.kit.take_roam(told)
        async with asyncio.timeout(WITHIN_S):
            while not heard:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        assert heard == [good]
