"""The terminal follows what the hub sends: signed, sealed to it, newer; everything else changes nothing and is told."""

import asyncio
import base64
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.attendance import card, town_roster
from edge_agent.attendance.roster_task import RosterKeeper
from edge_agent.orders.wipe import erase
from hub.signing import Signing
from tests.certificates import pki
from tests.roster.parts import HANAKO, TARO, TERMINAL, Terminal, make_terminal, running, sealed_for
from wire import roster, sealed, signed, x509
from wire.messages import Roster, RosterReport
from wire.roster import RosterCard, RosterContent

FIRST, LATER = "1" * 32, "2" * 32
KEY = bytes(range(32))
NAMED = RosterContent(KEY, (RosterCard(card.token(KEY, HANAKO), "issued", "山田花子"),))
LOST = RosterContent(KEY, (RosterCard(card.token(KEY, HANAKO), "lost"),))


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """The hub's signature."""
    return Signing(tmp_path / "office")


@pytest.fixture
def state(tmp_path: Path, signing: Signing) -> Path:
    """A terminal's folder that knows the hub."""
    return make_terminal(tmp_path / "state", signing)


async def test_it_applies_reports_and_goes_on_with_it_after_a_restart(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        assert one.keeper.followed == ("", 0)
        report = await one.follows(sealed_for(state, signing, NAMED, FIRST, 1))
        assert report == RosterReport(FIRST, 1, cards=1)
        assert one.keeper.followed == (FIRST, 1)
        assert one.cards.of(HANAKO).name == "山田花子"
        assert (await one.follows(sealed_for(state, signing, LOST, FIRST, 2))).generation == 2
        assert one.cards.of(HANAKO).standing == "lost"
    async with running(state) as one:
        # Before any task begins, with no hub in sight, and nothing is told twice.
        assert (one.keeper.followed, one.cards.of(HANAKO).standing) == ((FIRST, 2), "lost")
        await one.follows(sealed_for(state, signing, NAMED, LATER, 1))
        assert len(await one.reports()) == 3
        assert one.cards.of(HANAKO).standing == "known"


async def test_the_same_again_is_told_again(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        told = sealed_for(state, signing, NAMED, FIRST, 1)
        assert await one.follows(told) == await one.follows(told)


async def test_what_is_older_changes_nothing(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, LOST, LATER, 5))
        older = [(FIRST, 9), (LATER, 4), (LATER, 5), ("", 99)]
        for incarnation, generation in older:
            report = await one.follows(sealed_for(state, signing, NAMED, incarnation, generation))
            assert report == RosterReport(LATER, 5, "refused", "older", 1)
            assert one.cards.of(HANAKO).standing == "lost"


async def test_what_the_hub_has_not_signed_changes_nothing(state: Path, signing: Signing, tmp_path: Path) -> None:
    good = sealed_for(state, signing, LOST, FIRST, 3)
    other = sealed_for(state, signing, NAMED, FIRST, 4)
    forged = [
        msgspec.structs.replace(good, generation=4),
        msgspec.structs.replace(good, incarnation=LATER),
        msgspec.structs.replace(good, sealed=other.sealed),
        msgspec.structs.replace(good, signature=other.signature),
        sealed_for(state, Signing(tmp_path / "another hub"), LOST, FIRST, 3),
        # Signed and sealed for another terminal of the town.
        sealed_for(make_terminal(tmp_path / "two", signing, "terminal-2"), signing, LOST, FIRST, 3, "terminal-2"),
    ]
    async with running(state) as one:
        for bad in forged:
            assert await one.follows(bad) == RosterReport("", 0, "refused", "signature")
        (state / "identity" / "orders.pub").unlink()
        assert (await one.follows(good)).error == "no_key"
        assert one.keeper.followed == ("", 0)
        assert not (state / town_roster.FILE).exists()


def _sealed_otherwise(signing: Signing, to: Path, about: bytes, plain: bytes) -> Roster:
    """Signed well for this terminal, with another seal."""
    key = x509.read_leaf((to / "certificate.pem").read_bytes()).public_key()
    return signing.roster(TERMINAL, FIRST, 1, sealed.seal(key, plain, about))  # type: ignore[arg-type]


async def test_what_is_not_sealed_to_it_is_refused_although_it_is_signed(state: Path, signing: Signing) -> None:
    place, plain = signed.roster_place_bytes(TERMINAL, FIRST, 1), roster.pack(LOST)
    mine = state / "identity"
    bad = [
        (_sealed_otherwise(signing, pki().identity("terminal-2"), place, plain), "sealed"),
        (_sealed_otherwise(signing, mine, signed.roster_place_bytes(TERMINAL, FIRST, 2), plain), "sealed"),
        (_sealed_otherwise(signing, mine, signed.roster_place_bytes("terminal-2", FIRST, 1), plain), "sealed"),
        (_sealed_otherwise(signing, mine, place, b"not a roster"), "content"),
        (signing.roster(TERMINAL, FIRST, 1, b""), "sealed"),
    ]
    async with running(state) as one:
        for told, why in bad:
            assert await one.follows(told) == RosterReport("", 0, "refused", why)
        assert one.cards.of(HANAKO).standing == "known"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_letter_of_the_seal_is_refused(state: Path, signing: Signing, data: st.DataObject) -> None:
    good = sealed_for(state, signing, LOST, FIRST, 1)
    raw = bytearray(base64.urlsafe_b64decode(good.sealed + "=" * (-len(good.sealed) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    # Signed by the hub itself, so that only the seal can tell.
    changed = signing.roster(TERMINAL, FIRST, 1, bytes(raw))

    async def refused() -> None:
        async with running(state) as one:
            assert (await one.follows(changed)).error == "sealed"

    asyncio.run(refused())


async def test_one_sealed_to_the_key_that_waits_for_its_certificate_opens(
    state: Path, signing: Signing, tmp_path: Path
) -> None:
    next_ = pki().identity(TERMINAL, tmp_path / "next")
    told = sealed_for_identity(signing, next_)
    async with running(state) as one:
        assert (await one.follows(told)).error == "sealed"
        (state / "identity" / "pending.pem").write_bytes((next_ / "key.pem").read_bytes())
        assert (await one.follows(told)).result == "applied"


def sealed_for_identity(signing: Signing, identity: Path) -> Roster:
    """A roster for the holder of that identity's key."""
    return _sealed_otherwise(signing, identity, signed.roster_place_bytes(TERMINAL, FIRST, 1), roster.pack(NAMED))


async def test_a_device_that_is_being_wiped_takes_none_and_keeps_none(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, NAMED, FIRST, 1))
        assert await asyncio.to_thread(_holding, state, "山田".encode()) == [town_roster.FILE]
        one.barred = True
        assert erase(state) == []
        one.keeper.take(sealed_for(state, signing, NAMED, FIRST, 2))
        await asyncio.sleep(0.3)
    assert await asyncio.to_thread(_holding, state, "山田".encode()) == []


@pytest.mark.parametrize("asked_before", [0, 1, 2, 4])
async def test_a_wipe_that_begins_while_a_roster_is_kept_leaves_nothing(
    state: Path, signing: Signing, asked_before: int
) -> None:
    one = Terminal(state)
    asked, wiped, loop = iter([False] * asked_before), asyncio.Event(), asyncio.get_running_loop()

    def barred() -> bool:
        if next(asked, True):
            if not wiped.is_set():
                loop.call_soon_threadsafe(wiped.set)
            return True
        return False

    one.keeper = RosterKeeper(one.settings, one.spool, one.clock, one.cards, barred)
    task = asyncio.create_task(one.keeper.run())
    one.keeper.take(sealed_for(state, signing, NAMED, FIRST, 1))
    async with asyncio.timeout(60):
        await wiped.wait()
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    one.spool.close()
    assert await asyncio.to_thread(_holding, state, "山田".encode()) == []


def _holding(folder: Path, words: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


async def test_a_disk_that_takes_nothing_is_told_once_and_the_hub_hears_nothing(
    state: Path, signing: Signing, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(state) as one:
        # A folder in its place: the file cannot be replaced, whoever asks.
        (state / town_roster.FILE).mkdir()
        for generation in (1, 2, 3):
            one.keeper.take(sealed_for(state, signing, NAMED, FIRST, generation))
            await asyncio.sleep(0.3)
        assert one.keeper.followed == ("", 0)
        assert await one.reports() == []
        assert [record.message for record in caplog.records if "cannot be kept" in record.message][1:] == []
        (state / town_roster.FILE).rmdir()
        assert (await one.follows(sealed_for(state, signing, NAMED, FIRST, 4))).generation == 4


async def test_no_log_holds_a_name_or_a_token(state: Path, signing: Signing, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, NAMED, FIRST, 1))
        await one.follows(sealed_for(state, signing, NAMED, FIRST, 1))
    for record in caplog.records:
        assert "山田" not in record.getMessage()
        assert card.token(KEY, HANAKO) not in record.getMessage()
        assert card.token(KEY, TARO) not in record.getMessage()
