"""A lease: what is counted, and that a device locks and opens by it."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.clock import Clock, Stamp
from edge_agent.effective import Effective, Holder
from edge_agent.orders import locked
from edge_agent.orders.lock import Lock
from edge_agent.orders.locked import Locked
from edge_agent.policy.lease import Away, counted, is_over
from edge_agent.policy.lease_task import LeaseKeeper
from edge_agent.settings import Settings
from tests.clock.hand_time import HandTime

DAY_MS = 86_400_000
CLOCKS = st.sampled_from(["synced", "held", "unset"])
STAMPS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 3 * DAY_MS), st.integers(0, 9 * DAY_MS), CLOCKS, st.booleans()),
    max_size=12,
)


@given(STAMPS)
def test_the_count_never_falls_but_when_the_hub_is_heard_and_a_wrong_clock_counts_nothing(told: list[tuple]) -> None:  # type: ignore[type-arg]
    last = Away()
    for boot, mono_ms, at_ms, clock, heard in told:
        now = counted(last, Stamp(boot, mono_ms, at_ms, clock), heard=heard)
        assert now.away_ms == 0 if heard else now.away_ms >= last.away_ms
        if last.boot and last.boot != boot and "unset" in (last.clock, clock) and not heard:
            assert now.away_ms == last.away_ms
        if last.boot == boot and not heard:
            assert now.away_ms - last.away_ms == max(0, mono_ms - last.mono_ms)
        last = now


@pytest.mark.parametrize(("days", "away_days", "over"), [(0, 365, False), (7, 6, False), (7, 7, True), (1, 2, True)])
def test_a_lease_of_no_days_never_ends(days: int, away_days: int, over: bool) -> None:
    assert is_over(Away(away_days * DAY_MS), days) is over


async def test_it_locks_keeps_counting_over_restarts_and_opens_when_the_hub_is_heard(tmp_path: Path) -> None:
    (tmp_path / "policy").mkdir()
    time = HandTime()
    heard: list[float | None] = [None]
    clock = Clock(tmp_path / "good-time", time)
    lock = Lock(None, tmp_path, clock)
    settings = Settings(device="tablet-1", kind="tablet", state_dir=str(tmp_path))

    def is_counted() -> bool:
        path = tmp_path / "policy" / "away.json"
        return path.exists() and msgspec.json.decode(path.read_bytes(), type=Away).mono_ms == time.mono_ms

    async def until(is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)

    async def live(days: float, ends: Callable[[], bool]) -> None:
        keeper = LeaseKeeper(
            settings, clock, Holder(Effective(lease_days=7, contact="内線 1")), lock, lambda: heard[0], every_s=0.01
        )
        task = asyncio.create_task(keeper.run())
        try:
            await until(is_counted)
            time.pass_ms(int(days * DAY_MS))
            await until(is_counted)
            await until(ends)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    await live(4, lambda: locked.read(tmp_path) is None)
    await live(3.1, lambda: locked.read(tmp_path) is not None)
    found = locked.read(tmp_path)
    assert found is not None
    assert (found.why, found.contact) == ("lease", "内線 1")
    heard[0] = 5.0
    await live(1, lambda: locked.read(tmp_path) is None)
    # What the hub locked, the hub's voice does not open.
    locked.write(tmp_path, Locked("locked", "x", 1))
    await lock.end_lease_lock()
    assert locked.read(tmp_path) == Locked("locked", "x", 1)
