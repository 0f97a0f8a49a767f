"""A guest who is known goes on without agreeing again: from another access point, also while the hub is away."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import Stamp
from edge_agent.wifi import roaming
from edge_agent.wifi.guests import Refused
from edge_agent.wifi.roaming import Known, KnownGuests
from hub.signing import Signing
from tests.certificates import pki
from tests.clock.hand_time import HandTime
from tests.wifi.sessions.parts import (
    AP,
    CLICK,
    HANAKO,
    KEYS,
    MINUTE_MS,
    TARO,
    TODAY,
    WITHIN_S,
    AccessPoint,
    Kernel,
    roam_of,
    running,
)
from wire.kit import pseudonym
from wire.messages import Grant, Roam

ORIGIN = "a" * 32


@pytest.fixture
def time() -> HandTime:
    """Time by hand."""
    return HandTime()


@pytest.fixture
def kernel(time: HandTime) -> Kernel:
    """The kernel's table."""
    return Kernel(time)


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """The hub's signature, known to the access point."""
    made = Signing(tmp_path / "office")
    pki().identity(AP, tmp_path / "state" / "identity")
    (tmp_path / "state" / "identity" / "orders.pub").write_text(made.public + "\n")
    return made


def grant(time: HandTime, address: str = HANAKO, minutes: int = 40, **other: object) -> Grant:
    """What the hub says of a guest."""
    plain = Grant(ORIGIN, pseudonym(KEYS[0].key, address), TODAY, time.wall_ms + minutes * MINUTE_MS, terms="2026-04")
    return msgspec.structs.replace(plain, **other)


async def hears(one: AccessPoint, told: Roam) -> None:
    """The message comes down and is followed."""
    task = asyncio.create_task(one.kit.run())
    heard = asyncio.Event()
    one.kit.watch_roam(lambda _: heard.set())
    one.kit.take_roam(told)
    async with asyncio.timeout(WITHIN_S):
        await heard.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_who_is_known_is_let_in_before_they_ask_also_after_a_restart(
    tmp_path: Path, time: HandTime, kernel: Kernel, signing: Signing
) -> None:
    state = tmp_path / "state"
    async with running(state, time, kernel) as one:
        used = grant(time, extensions=2, up_bytes=300_000_000, down_bytes=500_000_000)
        await hears(one, roam_of(signing, (used, grant(time, TARO, origin="b" * 32)), time.wall_ms))
        assert one.guests.known(HANAKO) == used
        assert not kernel.passes(HANAKO)
        # It is on the disk with the next round.
        await one.guests.round()
    async with running(state, time, kernel) as one:
        time.pass_ms(10 * MINUTE_MS)
        standing = await one.guests.arrive(HANAKO)
        assert standing is not None
        assert kernel.passes(HANAKO)
        assert (standing.way, standing.seconds_left, standing.extensions_left) == ("roam", 30 * 60, 1)
        assert (standing.bytes_left, standing.terms) == (200_000_000, "2026-04")
        # Nobody agreed to anything here.
        assert await one.consents() == []
        assert [(told.way, told.origin, told.up_bytes) for told in await one.told()] == [("roam", ORIGIN, 0)]
        assert await one.guests.arrive(HANAKO) == standing
        assert (await one.guests.extend(HANAKO)).extensions_left == 0
        with pytest.raises(Refused):
            await one.guests.extend(HANAKO)


async def test_a_grant_ends_and_is_taken_back(tmp_path: Path, time: HandTime, kernel: Kernel, signing: Signing) -> None:
    async with running(tmp_path / "state", time, kernel) as one:
        await hears(one, roam_of(signing, (grant(time), grant(time, TARO, origin="b" * 32)), time.wall_ms))
        time.pass_ms(MINUTE_MS)
        await hears(one, roam_of(signing, (grant(time, ends_ms=0),), time.wall_ms))
        assert await one.guests.arrive(HANAKO) is None
        # An old word that comes again takes nothing back.
        await hears(one, roam_of(signing, (grant(time),), time.wall_ms - MINUTE_MS))
        assert one.guests.known(HANAKO) is None
        # The time is that of when it was heard: a clock set back lengthens nothing.
        time.set_wall(time.wall_ms - 30 * MINUTE_MS)
        time.pass_ms(39 * MINUTE_MS)
        assert one.guests.known(TARO) is None
        assert await one.guests.arrive(TARO) is None
        # Who has used all extensions elsewhere has none here.
        await hears(one, roam_of(signing, (grant(time, minutes=1, extensions=3),), time.wall_ms))
        time.pass_ms(2 * MINUTE_MS)
        with pytest.raises(Refused) as refused:
            await one.guests.agree(HANAKO, CLICK)
        assert refused.value.reason == "extensions"


async def test_an_extension_elsewhere_counts_for_the_session_that_is_still_open_here(
    tmp_path: Path, time: HandTime, kernel: Kernel, signing: Signing
) -> None:
    async with running(tmp_path / "state", time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        longer = grant(time, minutes=120, origin=first.session, extensions=1)
        await hears(one, roam_of(signing, (longer,), time.wall_ms))
        await one.guests.round()
        standing = one.guests.standing(HANAKO)
        assert standing is not None
        assert (standing.session, standing.seconds_left, standing.extensions_left) == (first.session, 7200, 2)
        assert kernel.seconds(HANAKO) == 7200
        assert (await one.told())[-1].number == 1


async def test_a_device_that_does_not_know_the_time_goes_by_when_the_grant_was_made(
    tmp_path: Path, time: HandTime, kernel: Kernel, signing: Signing
) -> None:
    made_ms, told = time.wall_ms, grant(time)
    day = "1970-01-01"
    time.set_wall(60_000, synced=False)
    async with running(tmp_path / "state", time, kernel) as one:
        named = msgspec.structs.replace(told, day=day, guest=pseudonym(one.kit.day_key(day), HANAKO))
        await hears(one, roam_of(signing, (named,), made_ms))
        time.pass_ms(39 * MINUTE_MS)
        standing = await one.guests.arrive(HANAKO)
        assert standing is not None
        assert standing.seconds_left == 60


def known(number: int, ends_mono_ms: int, day: str = TODAY) -> Known:
    """One guest."""
    return Known(f"{number:032x}", day, ORIGIN, 0, "boot-1", ends_mono_ms)


def test_there_is_room_for_so_many_and_those_whose_time_is_over_go_first() -> None:
    now = Stamp("boot-1", 1000, 0, "synced")
    guests = KnownGuests(most=20)
    for number in range(21):
        guests.learn(known(number, 500 if number in (3, 5) else 2000), now)
    assert len(guests) == 19
    assert guests.get(f"{3:032x}") is None
    for number in range(100, 200):
        guests.learn(known(number, 2000), now)
    assert len(guests) <= 20
    assert guests.get(f"{199:032x}") is not None
    guests.take_changed()
    guests.forget_days_before("2026-11-25")
    assert len(guests) == 0
    assert guests.take_changed()


_told = st.builds(
    Known,
    st.just("f" * 32),
    st.just(TODAY),
    st.sampled_from(["a" * 32, "b" * 32]),
    st.integers(0, 10),
    st.just("boot-1"),
    st.integers(0, 10),
    st.just(10),
    st.integers(0, 3),
    st.integers(0, 100),
    st.integers(0, 100),
    made_ms=st.integers(0, 5),
    welcome=st.booleans(),
)


@given(st.lists(_told, min_size=1, max_size=8))
def test_within_one_origin_what_was_used_never_falls_and_the_later_word_counts(told: list[Known]) -> None:
    now = Stamp("boot-1", 0, 0, "synced")
    guests = KnownGuests()
    before: Known | None = None
    for one in told:
        found = guests.learn(one, now)
        if before is not None and found.origin == before.origin:
            assert found.extensions >= before.extensions
            assert found.up_bytes >= before.up_bytes
            assert found.down_bytes >= before.down_bytes
            if one.origin == before.origin:
                assert found.extensions >= one.extensions
        # An older word never changes how long somebody is let in.
        if before is not None and one.made_ms < before.made_ms:
            assert (found.ends_mono_ms, found.welcome) == (before.ends_mono_ms, before.welcome)
        before = found
    newest = max(each.made_ms for each in told)
    assert before is not None
    assert before.made_ms == newest
    assert roaming.grant_of(before).guest == "f" * 32
