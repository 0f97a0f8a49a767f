"""A device follows papers that are the hub's, sealed to it and newer; everything else changes nothing and is told."""

import asyncio
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.papers import FOLDER
from hub.signing import Signing
from tests.certificates import pki
from tests.papers.parts import KIND, WITHIN_S, make_device, running, sealed_for
from wire.messages import Held, PaperReport
from wire.paper import BadPaper

FIRST, LATER = "1" * 32, "2" * 32


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """The hub's signature."""
    return Signing(tmp_path / "office")


@pytest.fixture
def state(tmp_path: Path, signing: Signing) -> Path:
    """A device's folder that knows the hub."""
    return make_device(tmp_path / "state", signing)


async def test_it_counts_is_told_and_goes_on_after_a_restart(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        assert one.papers.held() == ()
        assert one.papers.now(KIND) is None
        assert await one.follows(sealed_for(state, signing, "one", FIRST, 1)) == PaperReport(KIND, FIRST, 1)
        await one.follows(sealed_for(state, signing, "two", FIRST, 2))
        assert one.shown == ["one", "two"]
        assert one.papers.held() == (Held(KIND, FIRST, 2),)
    async with running(state) as one:
        # Before any task begins, with no hub in sight, and nothing is told twice.
        assert one.shown == ["two"]
        assert one.papers.held() == (Held(KIND, FIRST, 2),)
        await one.follows(sealed_for(state, signing, "three", LATER, 1))
        assert one.shown == ["two", "three"]
        assert len(await one.reports()) == 3


async def test_nobody_else_reads_what_is_kept(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "one", FIRST, 1))
    assert stat.S_IMODE((state / FOLDER / KIND).stat().st_mode) == 0o600
    assert stat.S_IMODE((state / FOLDER).stat().st_mode) == 0o700


async def test_the_same_again_is_told_again_and_shown_once(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        told = sealed_for(state, signing, "one", FIRST, 1)
        assert await one.follows(told) == await one.follows(told)
        assert one.shown == ["one"]
        assert len(await one.reports()) == 2


async def test_what_is_older_changes_nothing(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "good", LATER, 5))
        for incarnation, generation in ((FIRST, 9), (LATER, 4), (LATER, 5), ("", 99)):
            report = await one.follows(sealed_for(state, signing, "bad", incarnation, generation))
            assert report == PaperReport(KIND, LATER, 5, "refused", "older")
        assert one.shown == ["good"]


async def test_what_the_hub_has_not_signed_changes_nothing(state: Path, signing: Signing, tmp_path: Path) -> None:
    good, other = (sealed_for(state, signing, text, FIRST, n) for text, n in (("a", 3), ("b", 4)))
    forged = [
        msgspec.structs.replace(good, generation=4),
        msgspec.structs.replace(good, incarnation=LATER),
        msgspec.structs.replace(good, kind="purse"),
        msgspec.structs.replace(good, sealed=other.sealed),
        msgspec.structs.replace(good, signature=other.signature),
        sealed_for(state, Signing(tmp_path / "elsewhere"), "c", FIRST, 5),
        # Signed and sealed as it should be, but for another device.
        sealed_for(state, signing, "d", FIRST, 6, name="tablet-2"),
    ]
    async with running(state) as one:
        for paper in forged:
            report = await one.follows(paper)
            assert (report.result, report.error, report.generation) == ("refused", "signature", 0)
        assert one.shown == []
        assert not (state / FOLDER).exists()


async def test_what_it_cannot_open_or_read_changes_nothing(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "good", FIRST, 1))
        elsewhere = pki().identity("tablet-2").parent / "tablet-2"
        (state / "other").mkdir()
        (state / "other" / "identity").symlink_to(elsewhere)
        foreign = sealed_for(state / "other", signing, "bad", FIRST, 2)
        assert (await one.follows(foreign)).error == "sealed"
        assert (await one.follows(sealed_for(state, signing, b"no note", FIRST, 2))).error == "content"
        unknown = sealed_for(state, signing, "bad", FIRST, 2, kind="purse")
        assert await one.follows(unknown) == PaperReport("purse", "", 0, "refused", "kind")
        assert one.shown == ["good"]


async def test_one_that_is_wiped_keeps_nothing(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "one", FIRST, 1))
        one.barred = True
        one.uplink.hand_on(sealed_for(state, signing, "two", FIRST, 2))
        one.uplink.hand_on(sealed_for(state, Signing(state / "nobody"), "x", FIRST, 2))
        async with asyncio.timeout(WITHIN_S):
            while one.papers.held():
                await one.spool.depth()
        assert not (state / FOLDER / KIND).exists()
        assert one.shown == ["one"]


async def test_a_disk_that_takes_nothing_changes_nothing(state: Path, signing: Signing) -> None:
    (state / FOLDER).write_text("no folder")
    async with running(state) as one:
        one.uplink.hand_on(sealed_for(state, signing, "one", FIRST, 1))
        async with asyncio.timeout(WITHIN_S):
            while not one.papers._disk_fails:
                await one.spool.depth()
        (state / FOLDER).unlink()
        # The hub sends it again.
        assert (await one.follows(sealed_for(state, signing, "one", FIRST, 1))).generation == 1
        assert one.shown == ["one"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), cut=st.booleans())
def test_a_damaged_file_is_none(state: Path, signing: Signing, place: int, bit: int, cut: bool) -> None:
    path = state / FOLDER / KIND
    if not path.exists():
        asyncio.run(_follow_one(state, signing))
    whole = path.read_bytes()
    place %= len(whole)
    damaged = bytearray(whole)
    damaged[place] ^= 1 << bit
    path.write_bytes(whole[:place] if cut else bytes(damaged))
    try:
        assert asyncio.run(_counts(state)) == ((), [])
    finally:
        path.write_bytes(whole)


async def _follow_one(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "one", FIRST, 1))


async def _counts(state: Path) -> tuple[tuple[Held, ...], list[str]]:
    async with running(state) as one:
        return one.papers.held(), one.shown


async def test_what_a_later_program_kept_is_asked_for_again(state: Path, signing: Signing) -> None:
    async with running(state) as one:
        await one.follows(sealed_for(state, signing, "one", FIRST, 1))
        other: list[str] = []
        assert one.papers.held()

        def reads_nothing(packed: bytes) -> str:
            raise BadPaper(f"{len(packed)} bytes of another kind")

        one.papers.register(KIND, reads_nothing, other.append)
        assert (other, one.papers.held()) == ([], ())
    assert (state / FOLDER / KIND).exists()
