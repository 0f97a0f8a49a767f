"""A locked device stays locked, and a wiped one is nobody's any more, whatever happens on the way."""

import asyncio
from pathlib import Path

import pytest

from edge_agent.kiosk.screen import View
from edge_agent.orders import identify, light, locked, wipe
from edge_agent.orders.locked import Locked
from edge_agent.orders.outcome import Given
from tests.clock.hand_time import HandTime
from tests.orders.parts import Desk, Device, running, until
from wire import orders
from wire.messages import Ack, Punch, Result


async def test_a_locked_device_stays_locked_until_it_is_unlocked(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("lock", contact="代表 0123")
    async with running(state, time) as device:
        _has_page(device)
        device.orders.take(order)
        assert (await device.end_of(order.id)).state == "done"
        assert (device.screen.view.state, device.screen.view.name) == ("locked", "代表 0123")
        # What a tap would bring up is refused aloud: the same view anew.
        before = device.screen.view.number
        device.screen.show(View("accepted", at_ms=5))
        assert (device.screen.view.state, device.screen.view.number) == ("locked", before + 1)
        device.screen.ground(View("idle"))
        assert device.screen.view.state == "locked"
    async with running(state, time) as device:
        assert device.screen.locked
        unlock = desk.order("unlock")
        device.orders.take(unlock)
        assert (await device.end_of(unlock.id)).state == "done"
        assert not device.screen.locked
    assert locked.read(state) is None


def _has_page(device: Device) -> None:
    assert device.doings.lock._screen is device.screen


def test_a_file_that_cannot_be_read_counts_as_locked(state: Path) -> None:
    (state / "locked.json").write_bytes(b"{")
    assert locked.read(state) == Locked()


async def test_identify_stands_before_a_lock_and_goes(desk: Desk, state: Path, time: HandTime) -> None:
    locked.write(state, Locked("locked"))
    async with running(state, time) as device:
        with device.screen.onlooker():
            order = desk.order("identify", seconds=1)
            device.orders.take(order)
            assert await device.end_of(order.id) == Result(order.id, "done", "shown: screen")
            assert device.screen.view.state == "identify"
            await until(lambda: device.screen.view.state == "locked")


async def test_a_light_blinks_and_is_put_back(tmp_path: Path) -> None:
    for name in ("input3::capslock", "ACT", "blue"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "trigger").write_text("none timer [mmc0] heartbeat\n")
    found = light.find(tmp_path)
    assert found == tmp_path / "ACT"
    blinking = asyncio.create_task(light.blink(found, 0.3))
    await until(lambda: (found / "trigger").read_text() == "timer")
    await blinking
    assert (found / "trigger").read_text() == "mmc0"
    assert light.find(tmp_path / "none") is None
    given = Given("a" * 32, orders.Identify(1))
    assert (await identify.Identify(None, "ap-1", tmp_path).doing.do(given)).detail == "shown: light"  # type: ignore[union-attr]
    assert (await identify.Identify(None, "ap-1", tmp_path / "none").doing.do(given)).detail == "nothing_to_show"  # type: ignore[union-attr]


def _fill(state: Path) -> None:
    """What a device has of people and of itself."""
    (state / "roster.toml").write_text("[names]\n")
    (state / "card.key").write_bytes(b"k" * 32)
    (state / "policy").mkdir()
    (state / "policy" / "good.json").write_text("{}")
    (state / "content").mkdir()
    (state / "content" / "page.html").write_text("x")
    (state / "identity" / "key.pem").write_text("a private key")
    (state / "identity" / "certificate.pem").write_text("a certificate")


def _left(state: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in state.iterdir()}


async def _hub_has_everything(device: Device) -> None:
    spool = await device.spool.spool_id()
    for lane in ("urgent", "bulk"):
        depth = (await device.spool.depth())[lane]
        cursor = await device.spool.cursor(lane)
        await device.spool.take_ack(Ack(spool, lane, cursor + depth))


async def test_a_wipe_sends_first_and_erases_the_key_last(desk: Desk, state: Path, time: HandTime) -> None:
    _fill(state)
    order = desk.order("wipe")
    async with running(state, time) as device:
        await device.spool.append("punch", Punch("c" * 32, "clock_in"), device.clock.stamp())
        device.orders.take(order)
        await until(lambda: device.screen.view.state == "wiped")
        # Nothing goes before the punch has gone.
        assert (state / "roster.toml").exists()
        await _hub_has_everything(device)
        result = await device.end_of(order.id)
        assert result.state == "done"
        assert result.detail == f"wiped: {device.screen.view.name}"
        assert len(device.screen.view.name) == 8
        assert not {"roster.toml", "card.key", "policy", "content"} & _left(state)
        # The hub has not heard of it yet: the key stays for telling.
        assert (state / "identity" / "key.pem").exists()
        await _hub_has_everything(device)
        await asyncio.wait_for(device.ended.wait(), 60)
        assert not (state / "identity").exists()
    found = locked.read(state)
    assert found is not None
    assert (found.why, f"wiped: {found.code}") == ("wiped", result.detail)
    # The agent comes back as a device that nobody knows: without its spool, and shut.
    locked.before_start(state)
    assert "spool.db" not in _left(state)
    async with running(state, time) as device:
        assert device.screen.view.state == "wiped"
    # Enrolled anew, it is a device like any other.
    (state / "identity").mkdir()
    (state / "identity" / "certificate.pem").write_text("a new one")
    locked.before_start(state)
    assert locked.read(state) is None


async def test_a_wipe_at_once_waits_for_nothing(desk: Desk, state: Path, time: HandTime) -> None:
    _fill(state)
    settings = state / "agent.toml"
    settings.write_text("device = 'x'")
    order = desk.order("wipe", at_once=True)
    async with running(state, time) as device:
        device.doings.wipe._keep = frozenset({settings})
        await device.spool.append("punch", Punch("c" * 32, "clock_in"), device.clock.stamp())
        device.orders.take(order)
        assert (await device.end_of(order.id)).state == "done"
        assert settings.exists()
        assert not (state / "card.key").exists()


@pytest.mark.parametrize("moment", ["erasing", "erased", "told"])
async def test_a_power_cut_in_a_wipe_is_no_way_out(desk: Desk, state: Path, time: HandTime, moment: str) -> None:
    _fill(state)
    order = desk.order("wipe", at_once=True)
    async with running(state, time) as device:
        device.seen.begin(order, b'{"at_once":true}', device.clock.stamp())
        if moment != "erasing":
            wipe.erase(state)
            locked.write(state, Locked("wiping", code="12345678"))
        if moment == "told":
            device.seen.finish(order.id, "done", "wiped: 12345678")
            device.seen.tell(order.id)
    async with running(state, time) as device:
        if moment != "told":
            result = await device.end_of(order.id)
            assert result.state == "done"
            assert moment == "erasing" or result.detail == "wiped: 12345678"
        await _hub_has_everything(device)
        await asyncio.wait_for(device.ended.wait(), 60)
    assert not (state / "identity").exists()
    assert not (state / "card.key").exists()


async def test_what_is_being_erased_is_not_unlocked(desk: Desk, state: Path, time: HandTime) -> None:
    locked.write(state, Locked("wiping", since_ms=1))
    async with running(state, time) as device:
        unlock, lock = desk.order("unlock"), desk.order("lock")
        device.orders.take(unlock)
        device.orders.take(lock)
        assert await device.end_of(unlock.id) == Result(unlock.id, "failed", "not_whole")
        assert (await device.end_of(lock.id)).state == "done"
    assert locked.read(state) == Locked("wiping", since_ms=1)


def test_a_key_is_overwritten_before_it_is_removed(state: Path) -> None:
    path = state / "key.pem"
    path.write_bytes(b"secret")
    with path.open("rb") as held:
        wipe._overwrite(path)
        path.unlink()
        assert held.read() == bytes(6)
