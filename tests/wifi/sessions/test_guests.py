"""Guests from the tap of "agree" to the end of their session: with a real spool, a real disk, and time by hand."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from edge_agent.wifi import session_store
from edge_agent.wifi.firewall import Limits
from edge_agent.wifi.guests import MOST_SESSIONS, Agreed, Normal, Refused
from tests.clock.hand_time import HandTime
from tests.wifi.sessions.parts import (
    CLICK,
    CODE,
    HANAKO,
    JIRO,
    KEYS,
    MINUTE_MS,
    TARO,
    TODAY,
    TOMORROW,
    AccessPoint,
    Kernel,
    content,
    files,
    give_kit,
    running,
    voucher,
)
from wire.kit import pseudonym
from wire.messages import Consent

MAIL = Agreed("2026-04", "en", "email", contact="c2VhbGVk", contact_key="2026-11", session="e" * 32)


@pytest.fixture
def time() -> HandTime:
    """Time by hand."""
    return HandTime()


@pytest.fixture
def kernel(time: HandTime) -> Kernel:
    """The kernel's table."""
    return Kernel(time)


async def refusal(one: AccessPoint, address: str, agreed: Agreed = CLICK) -> str:
    """Why a guest is not let in."""
    with pytest.raises(Refused) as refused:
        await one.guests.agree(address, agreed)
    return refused.value.reason


async def test_a_guest_agrees_uses_and_is_ended_by_the_clock(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        assert one.guests.standing(HANAKO) is None
        standing = await one.guests.agree(HANAKO, CLICK)
        began_ms = time.wall_ms
        assert (standing.seconds_left, standing.bytes_left, standing.extensions_left) == (3600, 1_000_000_000, 3)
        assert standing.ends_ms == began_ms + 60 * MINUTE_MS
        assert kernel.passes(HANAKO)
        assert await one.consents() == [Consent(standing.session, "2026-04", "ja-easy")]
        (begins,) = await one.told()
        assert (begins.number, begins.began_ms, begins.guest) == (1, began_ms, pseudonym(KEYS[0].key, HANAKO))
        assert (begins.day, begins.network, begins.ends_ms) == (TODAY, "Town_Free", standing.ends_ms)
        await one.pass_time(59 * MINUTE_MS, use=lambda: kernel.use(HANAKO, 10, 100))
        now = one.guests.standing(HANAKO)
        assert now is not None
        assert (now.seconds_left, now.bytes_left) == (60, 1_000_000_000 - 110 * 59 * 6)
        time.pass_ms(MINUTE_MS)
        # At once, before any round.
        assert one.guests.standing(HANAKO) is None
        assert not kernel.passes(HANAKO)
        await one.guests.round()
        (end,) = (await one.ends()).values()
        assert (end.cause, end.last_ms, end.up_bytes, end.down_bytes) == ("time", standing.ends_ms, 3540, 35400)
        # In a kernel that goes on, nothing is left; on the disk neither.
        assert (await kernel.admitted(), await kernel.counters()) == ({}, {})
        await one.guests.round()
    store = session_store.SessionStore(tmp_path / session_store.FILE)
    assert store.load().sessions == []
    store.close()


async def test_agreeing_twice_is_agreeing_once(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        found = await asyncio.gather(*(one.guests.agree(HANAKO, CLICK) for _ in range(8)))
        again = await one.guests.agree(HANAKO.upper(), CLICK)
        assert {standing.session for standing in (*found, again)} == {found[0].session}
        assert len(await one.consents()) == len(await one.told()) == one.guests.count == 1


async def test_who_gives_up_waiting_is_let_in_all_the_same(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        task = asyncio.create_task(one.guests.agree(HANAKO, CLICK))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        standing = await one.guests.agree(HANAKO, CLICK)
        assert [consent.session for consent in await one.consents()] == [standing.session]


async def test_the_consent_is_in_the_spool_before_the_kernel_lets_anybody_through(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        kernel.broken = "no table"
        assert await refusal(one, HANAKO) == "fault"
        assert len(await one.consents()) == 1
        kernel.broken = ""
        await one.guests.round()
        (end,) = (await one.ends()).values()
        assert (end.cause, one.guests.count) == ("lost", 0)
        assert (await one.guests.agree(HANAKO, CLICK)).session != end.session


async def test_a_full_spool_is_told_to_the_guest_and_lets_nobody_in(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel, max_bytes=1 << 18) as one:
        filler = Agreed("x" * 190, "ja", contact="y" * 900)
        for number in range(1000):
            address = f"02:00:5e:20:{number // 256:02x}:{number % 256:02x}"
            with contextlib.suppress(Refused):
                await one.guests.agree(address, filler)
            if not kernel.passes(address):
                break
        assert await refusal(one, address, filler) == "disk"
        assert one.guests.standing(address) is None
        known = {consent.session for consent in await one.consents()}
        assert len(known) == one.guests.count
        # There is room again once the hub has it.
        await one.hub_takes_all()
        await one.guests.agree(JIRO, CLICK)


async def test_it_is_extended_so_often_and_no_more(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        one.order(quota_mb=0)
        first = await one.guests.agree(HANAKO, CLICK)
        for left in (2, 1, 0):
            standing = await one.guests.extend(HANAKO)
            assert (standing.session, standing.extensions_left) == (first.session, left)
        assert standing.seconds_left == 240 * 60
        assert kernel.seconds(HANAKO) == 240 * 60
        with pytest.raises(Refused) as refused:
            await one.guests.extend(HANAKO)
        assert refused.value.reason == "extensions"
        # A wall clock that is set back lengthens nothing.
        time.set_wall(time.wall_ms - 3_600_000)
        assert kernel.seconds(HANAKO) == 240 * 60
        await one.pass_time(239 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        assert kernel.passes(HANAKO)
        await one.pass_time(MINUTE_MS)
        assert not kernel.passes(HANAKO)
        # To agree anew is to extend, until the day is over.
        assert await refusal(one, HANAKO) == "extensions"
        assert (await one.told())[-1].extensions == 3
        time.pass_ms(24 * 60 * MINUTE_MS)
        assert (await one.guests.agree(HANAKO, CLICK)).extensions_left == 3


async def test_who_agrees_anew_after_the_time_was_over_has_used_an_extension(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        one.order(extensions=2)
        first = await one.guests.agree(HANAKO, CLICK)
        await one.pass_time(60 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        again = await one.guests.agree(HANAKO, CLICK)
        assert (again.extensions_left, again.seconds_left) == (1, 3600)
        await one.pass_time(60 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        # Without the page of terms as well.
        last = await one.guests.extend(HANAKO)
        assert (last.extensions_left, last.seconds_left) == (0, 3600)
        assert {begun.origin for begun in await one.told() if begun.number == 1} == {"", first.session}
        await one.pass_time(60 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        assert await refusal(one, HANAKO) == "extensions"


async def test_a_guest_who_is_silent_is_ended_and_comes_back_to_the_rest(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        await one.pass_time(MINUTE_MS, use=lambda: kernel.use(HANAKO, 5, 5))
        sign_ms = time.wall_ms
        await one.pass_time(15 * MINUTE_MS)
        (end,) = (await one.ends()).values()
        assert (end.cause, end.last_ms) == ("idle", sign_ms)
        assert one.guests.known(HANAKO) is not None
        assert one.guests.known(TARO) is None
        back = await one.guests.arrive(HANAKO)
        assert back is not None
        assert (back.way, back.seconds_left, back.bytes_left) == ("roam", 44 * 60, 1_000_000_000 - 60)
        assert (await one.told())[-1].origin == first.session
        assert await one.guests.arrive(TARO) is None


async def test_who_left_is_not_let_in_without_being_asked_and_has_the_rest_when_they_agree(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        kernel.use(HANAKO, 70, 700)
        time.pass_ms(20 * MINUTE_MS)
        await one.guests.leave(HANAKO)
        assert not kernel.passes(HANAKO)
        (end,) = (await one.ends()).values()
        # What was used since the last round as well.
        assert (end.cause, end.last_ms, end.up_bytes, end.down_bytes) == ("user", time.wall_ms, 70, 700)
        assert await one.guests.arrive(HANAKO) is None
        assert (await one.guests.agree(HANAKO, CLICK)).seconds_left == 40 * 60


async def test_staff_end_one_session(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        first, other = await one.guests.agree(HANAKO, CLICK), await one.guests.agree(TARO, CLICK)
        assert await one.guests.end(first.session, "admin")
        assert not await one.guests.end(first.session, "admin")
        assert (kernel.passes(HANAKO), kernel.passes(TARO)) == (False, True)
        assert {id_: end.cause for id_, end in (await one.ends()).items()} == {first.session: "admin"}
        assert one.guests.standing(TARO) is not None
        assert other.session != first.session


async def test_over_the_quota_a_guest_is_slowed_and_never_cut(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        (mark,) = kernel.limits
        assert kernel.limits[mark] == Limits(8000, 4000)
        kernel.use(HANAKO, 0, 1_000_000_001)
        await one.pass_time(10_000)
        standing = one.guests.standing(HANAKO)
        assert standing is not None
        assert (standing.slowed, standing.bytes_left, kernel.limits[mark]) == (True, None, Limits(1000, 1000))
        assert kernel.passes(HANAKO)
        await one.hub_takes_all()
        await one.guests.round()
        assert (await one.told())[-1].slowed
        # A higher quota frees them again, and other speeds reach a session that goes on.
        one.order(quota_mb=2000, down_kbit=9000)
        await one.guests.round()
        assert kernel.limits[mark] == Limits(9000, 4000)


async def test_a_change_of_the_rules_does_not_wait_for_the_next_round(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    one = AccessPoint(tmp_path, time, kernel, account_every_s=3600)
    task = asyncio.create_task(one.guests.run())
    try:
        await one.guests.agree(HANAKO, CLICK)
        one.order(down_kbit=512)
        async with asyncio.timeout(30):
            while [*kernel.limits.values()] != [Limits(512, 4000)]:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.guests.close()
        one.spool.close()


async def test_a_house_that_closes_ends_its_sessions_and_receives_nobody(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        time.pass_ms(MINUTE_MS)
        one.mode = Normal("closed")
        assert one.guests.standing(HANAKO) is None
        await one.guests.round()
        assert [end.cause for end in (await one.ends()).values()] == ["closed"]
        assert not kernel.passes(HANAKO)
        assert await refusal(one, HANAKO) == "closed"
        assert await one.guests.arrive(HANAKO) is None
        one.mode = Normal()
        assert (await one.guests.agree(HANAKO, CLICK)).seconds_left == 59 * 60


async def test_a_disaster_lifts_all_limits_and_counts_who_is_seen(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        kernel.use(HANAKO, 0, 2_000_000_000)
        await one.guests.round()
        one.mode = Normal("disaster", "00000JAPAN")
        await one.guests.round()
        standing = one.guests.standing(HANAKO)
        assert standing is not None
        assert (standing.session, standing.seconds_left, standing.slowed) == (first.session, None, False)
        seen = await one.guests.arrive(TARO)
        assert seen is not None
        assert (seen.way, seen.ends_ms, seen.bytes_left) == ("disaster", 0, None)
        await one.pass_time(
            300 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: (kernel.use(HANAKO, 1, 1), kernel.use(TARO, 1, 1))
        )
        # Far beyond the hour, and nobody was cut.
        assert kernel.passes(HANAKO)
        assert kernel.passes(TARO)
        assert len(await one.consents()) == 1
        one.mode = Normal()
        await one.guests.round()
        ends = await one.ends()
        assert {end.cause for end in ends.values()} == {"time"}
        other = next(end for end in ends.values() if end.way == "disaster")
        assert (other.up_bytes, other.down_bytes, other.network) == (300, 300, "00000JAPAN")
        assert ends[first.session].last_ms == time.wall_ms
        assert not kernel.passes(HANAKO)


async def test_a_session_from_before_a_short_disaster_goes_on_after_it(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        one.mode = Normal("disaster")
        await one.guests.round()
        await one.pass_time(10 * MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        one.mode = Normal()
        await one.guests.round()
        assert kernel.seconds(HANAKO) == 50 * 60
        one.mode = Normal("drill")
        await one.guests.round()
        assert kernel.seconds(HANAKO) == 50 * 60


async def test_an_address_is_confirmed_within_ten_minutes_for_the_whole_time(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, MAIL)
        assert (first.session, first.seconds_left, first.provisional) == (MAIL.session, 600, True)
        with pytest.raises(Refused) as refused:
            await one.guests.extend(HANAKO)
        assert refused.value.reason == "unconfirmed"
        await one.pass_time(4 * MINUTE_MS)
        sure = await one.guests.confirm(HANAKO)
        assert (sure.session, sure.seconds_left, sure.provisional) == (first.session, 56 * 60, False)
        assert kernel.seconds(HANAKO) == 56 * 60
        assert await one.guests.confirm(HANAKO) == sure
        assert [(one.contact, one.confirmed, one.language) for one in await one.consents()] == [
            (MAIL.contact, False, "en"),
            ("", True, "en"),
        ]


async def test_who_never_confirms_has_ten_minutes_for_each_extension(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        for _ in range(4):
            assert (await one.guests.agree(HANAKO, MAIL)).seconds_left == 600
            await one.pass_time(10 * MINUTE_MS)
            assert await one.guests.arrive(HANAKO) is None
            with pytest.raises(Refused) as refused:
                await one.guests.extend(HANAKO)
            assert refused.value.reason == "unconfirmed"
        assert await refusal(one, HANAKO, MAIL) == "extensions"


async def test_asking_for_one_code_after_another_is_no_longer_time(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        for number in range(7):
            standing = await one.guests.agree(HANAKO, MAIL)
            assert (standing.seconds_left, standing.extensions_left) == (min(600, (60 - 9 * number) * 60), 0)
            time.pass_ms(9 * MINUTE_MS)
            await one.guests.leave(HANAKO)
        assert (await one.guests.agree(HANAKO, MAIL)).seconds_left == 600
        assert (await one.told())[-1].extensions == 1
        # Where a code cannot be sent, what is left of the whole is there without one.
        await one.guests.leave(HANAKO)
        assert (await one.guests.agree(HANAKO, CLICK)).seconds_left == 3600


async def test_a_voucher_counts_its_devices_and_its_time(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    with_code = Agreed("2026-04", "ko", "voucher", "abcd-efgh 23")
    async with running(tmp_path, time, kernel) as one:
        assert await refusal(one, HANAKO, Agreed("2026-04", "ko", "voucher", "ABCDEFGH24")) == "voucher_unknown"
        found = await asyncio.gather(
            one.guests.agree(HANAKO, with_code), one.guests.agree(TARO, with_code), return_exceptions=True
        )
        assert sum(isinstance(each, Refused) for each in found) == 1
        mine, other = (HANAKO, TARO) if isinstance(found[1], Refused) else (TARO, HANAKO)
        standing = one.guests.standing(mine)
        assert standing is not None
        assert (standing.seconds_left, standing.extensions_left, standing.way) == (240 * 60, 0, "voucher")
        assert [consent.voucher for consent in await one.consents()] == ["V-1"]
        await one.pass_time(30 * MINUTE_MS)
        # Idle by now; the rest of its time is there for this device, and for no other.
        assert await refusal(one, other, with_code) == "voucher_used"
        assert (await one.guests.agree(mine, with_code)).seconds_left == 210 * 60
    async with running(tmp_path, time, kernel) as one:
        assert await refusal(one, other, with_code) == "voucher_used"
        assert (await one.guests.agree(mine, with_code)).seconds_left == 210 * 60
        await one.guests.leave(mine)
        time.pass_ms(210 * MINUTE_MS)
        assert await refusal(one, mine, with_code) == "voucher_used"
    assert not [path for path in files(tmp_path) if CODE.encode() in path.read_bytes()]


async def test_a_vouchers_last_day_and_a_long_one_over_midnight(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    long, over = voucher("LANGEZEIT2", "V-2", 3000), voucher("VQRBE2RTAG", "V-3", until_ms=time.wall_ms - 1)
    async with running(tmp_path, time, kernel) as one:
        give_kit(one, content(vouchers=(long, over)))
        assert await refusal(one, HANAKO, Agreed("t", "ja", "voucher", "vqrbe2rtag")) == "voucher_over"
        await one.guests.agree(HANAKO, Agreed("t", "ja", "voucher", "langezeit2"))
        await one.pass_time(24 * 60 * MINUTE_MS, every_ms=30 * MINUTE_MS)
        # The device has another pseudonym today, and goes on all the same.
        back = await one.guests.agree(HANAKO, Agreed("t", "ja", "voucher", "langezeit2"))
        assert back.seconds_left == (3000 - 24 * 60) * 60
        assert await refusal(one, TARO, Agreed("t", "ja", "voucher", "langezeit2")) == "voucher_used"


async def test_a_voucher_lengthens_the_session_that_is_there(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        longer = await one.guests.agree(HANAKO, Agreed("2026-04", "ja", "voucher", CODE))
        assert (longer.session, longer.way, longer.seconds_left) == (first.session, "voucher", 240 * 60)
        assert kernel.seconds(HANAKO) == 240 * 60
        assert await one.guests.agree(HANAKO, Agreed("2026-04", "ja", "voucher", CODE)) == longer


async def test_the_agent_comes_back_and_goes_on(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        other = await one.guests.agree(TARO, CLICK)
        kernel.use(HANAKO, 100, 1000)
        await one.pass_time(10_000)
    kernel.use(HANAKO, 1, 10)
    time.pass_ms(10 * MINUTE_MS)
    # Somebody threw this one out of the kernel while the agent was away.
    marks = await kernel.admitted()
    await kernel.remove(marks[TARO])
    async with running(tmp_path, time, kernel) as one:
        standing = one.guests.standing(HANAKO)
        assert standing is not None
        assert (standing.session, standing.seconds_left) == (first.session, 3590 - 600)
        await one.guests.leave(HANAKO)
        ends = await one.ends()
        assert (ends[first.session].up_bytes, ends[first.session].down_bytes) == (101, 1010)
        assert ends[other.session].cause == "lost"


async def test_after_a_power_cut_each_session_ended_at_its_last_sign_of_life_once(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        await one.pass_time(MINUTE_MS, use=lambda: kernel.use(HANAKO, 10, 10))
        sign_ms = time.wall_ms
        await one.pass_time(MINUTE_MS)
    kernel.boot()
    time.boot, time.mono_ms, time.wall_ms = "boot-2", 20_000, sign_ms + 6 * MINUTE_MS
    for _ in range(2):
        async with running(tmp_path, time, kernel) as one:
            end = (await one.ends())[first.session]
            assert (end.boot, end.cause, end.last_ms) == ("boot-1", "power", sign_ms)
            assert (end.up_bytes, end.down_bytes) == (60, 60)
            # From the next round on, not even a kill tells it again.
            await one.guests.round()
    async with running(tmp_path, time, kernel) as one:
        assert [each.cause for each in await one.told()] == ["", "power"]
        # Within their time they are let in again without the page.
        back = await one.guests.arrive(HANAKO)
        assert back is not None
        assert back.seconds_left == 53 * 60
        assert len(await one.consents()) == 1


async def test_an_end_that_could_not_be_told_is_told_the_same_later(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        # The end is decided and on this disk; the process dies before the spool has it.
        one.guests._book._spool = _Gone(one.spool)  # type: ignore[assignment]
        with pytest.raises(RuntimeError):
            await one.guests.leave(HANAKO)
        one.guests._book._spool = one.spool
        ended_ms = time.wall_ms
    time.pass_ms(90 * MINUTE_MS)
    for _ in range(2):
        async with running(tmp_path, time, kernel) as one:
            end = (await one.ends())[first.session]
            assert (end.cause, end.last_ms) == ("user", ended_ms)


class _Gone:
    """A spool of a process that is just being killed."""

    def __init__(self, spool: object) -> None:
        self._spool = spool

    def __getattr__(self, name: str) -> object:
        if name == "append_many":
            raise RuntimeError("killed")
        return getattr(self._spool, name)


async def test_a_hub_that_is_away_fills_no_disk(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        one.order(session_minutes=1440)
        await one.guests.agree(HANAKO, CLICK)
        await one.pass_time(600 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        assert len(await one.told()) == 1
        await one.hub_takes_all()
        await one.pass_time(60 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        assert len(await one.told()) == 2
        # With a hub that takes everything: one telling about every five minutes.
        for _ in range(12):
            await one.hub_takes_all()
            await one.pass_time(5 * MINUTE_MS, every_ms=MINUTE_MS, use=lambda: kernel.use(HANAKO, 1, 1))
        assert 11 <= len(await one.told()) <= 15


async def test_counters_that_somebody_set_back_lose_nothing(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        kernel.use(HANAKO, 2**32, 2**33)
        await one.guests.round()
        kernel.forget_counters()
        kernel.use(HANAKO, 7, 8)
        await one.guests.round()
        await one.guests.leave(HANAKO)
        (end,) = (await one.ends()).values()
        assert (end.up_bytes, end.down_bytes) == (2**32 + 7, 2**33 + 8)


async def test_a_kernel_that_does_not_answer_for_a_while_ends_nobody(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        kernel.broken = "nft: no memory"
        await one.pass_time(20 * MINUTE_MS)
        assert one.guests.standing(HANAKO) is not None
        kernel.broken = ""
        kernel.use(HANAKO, 3, 4)
        await one.guests.round()
        assert (await one.ends()) == {}
        # An end that the kernel did not carry out is not told before it did.
        kernel.broken = "nft: no memory"
        assert await one.guests.end(first.session, "admin")
        assert (await one.ends()) == {}
        kernel.broken = ""
        await one.guests.round()
        assert [(end.cause, end.up_bytes) for end in (await one.ends()).values()] == [("admin", 3)]
        assert not kernel.passes(HANAKO)


async def test_who_was_ended_and_agrees_before_the_kernel_followed_gets_the_rest_and_no_more(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        kernel.use(HANAKO, 5, 6)
        time.pass_ms(20 * MINUTE_MS)
        kernel.broken, kernel.broken_for = "nft: no memory", ("remove",)
        assert await one.guests.end(first.session, "admin")
        again = await one.guests.agree(HANAKO, CLICK)
        assert (again.seconds_left, again.session != first.session) == (40 * 60, True)
        kernel.broken = ""
        await one.guests.round()
        assert (await one.ends())[first.session].down_bytes == 6
        assert kernel.passes(HANAKO)


async def test_a_disk_that_takes_nothing_is_told_and_changes_nothing(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        held = sqlite3.connect(tmp_path / session_store.FILE, isolation_level=None)
        held.execute("BEGIN IMMEDIATE")
        assert await refusal(one, TARO) == "disk"
        with pytest.raises(Refused) as refused:
            await one.guests.extend(HANAKO)
        assert refused.value.reason == "disk"
        kernel.use(HANAKO, 1, 2)
        await one.guests.round()
        standing = one.guests.standing(HANAKO)
        assert standing is not None
        assert (standing.session, standing.seconds_left, standing.extensions_left) == (first.session, 3600, 3)
        assert kernel.seconds(HANAKO) == 3600
        assert not kernel.passes(TARO)
        # An end waits for the disk, and then is told.
        await one.guests.leave(HANAKO)
        assert (await one.ends()) == {}
        held.close()
        await one.guests.round()
        assert [(end.cause, end.down_bytes) for end in (await one.ends()).values()] == [("user", 2)]
        assert len(await one.consents()) == 1


async def test_a_broken_file_is_begun_anew_and_who_is_inside_is_asked_again(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
    path = tmp_path / session_store.FILE
    for broken in (b"no database", path.read_bytes()[:8192] + b"\xa5" * 9000):
        path.write_bytes(broken)
        async with running(tmp_path, time, kernel) as one:
            # Nobody knows whose session that was.
            assert not kernel.passes(HANAKO)
            await one.guests.agree(HANAKO, CLICK)
            assert kernel.passes(HANAKO)
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE session SET body = '{}'")
    async with running(tmp_path, time, kernel) as one:
        assert one.guests.count == 0
        await one.guests.agree(HANAKO, CLICK)


async def test_a_disk_that_cannot_be_opened_is_waited_for(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    path = tmp_path / session_store.FILE
    path.mkdir()
    one = AccessPoint(tmp_path, time, kernel)
    task = asyncio.create_task(one.guests.run())
    try:
        agreed = asyncio.create_task(one.guests.agree(HANAKO, CLICK))
        done, _ = await asyncio.wait([agreed], timeout=0.2)
        assert not done
        path.rmdir()
        async with asyncio.timeout(30):
            await agreed
        assert kernel.passes(HANAKO)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await one.guests.close()
        one.spool.close()


async def test_what_is_no_device_is_refused(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        for address in ("", "ff:ff:ff:ff:ff:ff", "33:33:00:00:00:01", "00:00:00:00:00:00", "10.77.0.2", "２" * 17):
            assert await refusal(one, address) == "fault"
            assert await one.guests.arrive(address) is None
        assert (await one.consents(), await one.told()) == ([], [])


async def test_the_house_is_full(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        some = [f"02:00:5e:30:{number >> 8:02x}:{number & 255:02x}" for number in range(MOST_SESSIONS)]
        await asyncio.gather(*(one.guests.agree(address, CLICK) for address in some))
        assert await refusal(one, HANAKO) == "full"
        # Who is inside is not told so, and there is room again when somebody has gone.
        await one.guests.agree(some[0], CLICK)
        await one.guests.leave(some[1])
        await one.guests.agree(HANAKO, CLICK)


async def test_who_the_kernel_has_lost_is_let_in_again(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(HANAKO, CLICK)
        kernel.use(HANAKO, 10, 20)
        await one.pass_time(MINUTE_MS)
        # Somebody has flushed the tables.
        kernel.boot()
        await one.guests.round()
        assert kernel.passes(HANAKO)
        assert kernel.seconds(HANAKO) == 59 * 60
        assert kernel.use(HANAKO, 1, 2)
        await one.guests.leave(HANAKO)
        assert [(end.up_bytes, end.down_bytes) for end in (await one.ends()).values()] == [(11, 22)]


async def test_a_guest_is_known_over_midnight_and_not_longer(tmp_path: Path, time: HandTime, kernel: Kernel) -> None:
    # 23:30 in Japan.
    time.set_wall(1_795_476_240_000 + 15 * 3_600_000 + 6 * MINUTE_MS)
    async with running(tmp_path, time, kernel) as one:
        first = await one.guests.agree(HANAKO, CLICK)
        await one.pass_time(35 * MINUTE_MS)
        assert not kernel.passes(HANAKO)
        back = await one.guests.arrive(HANAKO)
        assert back is not None
        assert (await one.told())[-1].day == TOMORROW
        assert (await one.told())[-1].guest == pseudonym(KEYS[1].key, HANAKO)
        assert (await one.told())[-1].origin == first.session


async def test_without_a_kit_and_without_a_clock_guests_are_received(
    tmp_path: Path, time: HandTime, kernel: Kernel
) -> None:
    time.set_wall(60_000, synced=False)
    async with running(tmp_path, time, kernel, with_kit=False) as one:
        standing = await one.guests.agree(HANAKO, CLICK)
        time.pass_ms(30_000)
        time.set_wall(1_795_476_240_000, synced=True)
        await one.guests.round()
        await one.guests.leave(HANAKO)
        end = (await one.ends())[standing.session]
        assert (end.began_ms, end.last_ms) == (1_795_476_210_000, 1_795_476_240_000)
        assert await refusal(one, HANAKO, Agreed("t", "ja", "voucher", CODE)) == "voucher_unknown"
