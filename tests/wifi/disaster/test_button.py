"""The button on the access point: five seconds, the order in the kit, no hub; and everything else is refused."""

import asyncio
import contextlib
import os
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi.button import Button
from edge_agent.wifi.press import EVENT, HELD_MS, Held, keys_in, moved, passed
from tests.clock.hand_time import MORNING_MS, HandTime
from tests.orders.parts import Desk, changed
from tests.wifi.disaster.parts import DEVICE, HOUR_MS, Point, running, until
from wire.messages import Order
from wire.orders import STANDING_MS

YEAR_MS = 366 * 24 * HOUR_MS


@pytest.fixture
def time() -> HandTime:
    """A morning."""
    return HandTime()


@pytest.fixture
def desk(tmp_path: Path, time: HandTime) -> Desk:
    """A hub's signature that the access point knows; the hub itself is nowhere."""
    desk = Desk(tmp_path, time)
    desk.enrol(tmp_path / "ap")
    return desk


def _standing(desk: Desk, *, device: str = DEVICE, action: str = "begin") -> Order:
    return desk.order("disaster", device=device, good_ms=STANDING_MS, action=action, run="standing", minutes=1440)


class Hand:
    """Somebody's finger, and how long the seconds are."""

    def __init__(self, place: Path) -> None:
        self.place, self.now_s = place, 100.0

    def down(self) -> None:
        """Presses."""
        self.place.touch()

    def up(self) -> None:
        """Lets go."""
        self.place.unlink()


@contextlib.asynccontextmanager
async def _with_button(point: Point, tmp_path: Path) -> AsyncIterator[Hand]:
    hand = Hand(tmp_path / "button")
    where = f"file:{hand.place}"
    button = Button(where, point.standing.use, point.modes, now_s=lambda: hand.now_s, leds=tmp_path / "leds")
    task = asyncio.create_task(button.run())
    try:
        yield hand
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _hold(hand: Hand, seconds: float) -> None:
    """Holds it down for so long; the loop sees each of these moments a few times."""
    hand.down()
    await asyncio.sleep(0.5)
    hand.now_s += seconds
    await asyncio.sleep(0.5)
    hand.up()
    await asyncio.sleep(0.5)


async def test_five_seconds_begin_it_while_the_hub_is_nowhere(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time) as point, _with_button(point, tmp_path) as hand:
        point.kit_order = _standing(desk)
        await _hold(hand, 5.1)
        await until(lambda: point.modes.now.name == "disaster")
        report = await point.told("begun")
        assert (report.run, report.by) == (f"standing-{point.kit_order.id[:8]}", "button")
        assert report.ends_ms == MORNING_MS + 24 * HOUR_MS
        assert report.evidence[:2] == (f"order: {point.kit_order.id}", "held_ms: 5100")
        # It was used: the next press finds it so, also after its run is over.
        await point.modes.end(report.run, "order")
        await _hold(hand, 6)
        assert (await point.told("refused")).evidence[0] == "reason: used_before"
        assert point.modes.now.name == "normal"
        # With the next kit comes another order.
        point.kit_order = _standing(desk)
        await _hold(hand, 6)
        await until(lambda: point.modes.now.name == "disaster")


async def test_a_short_press_does_nothing_and_is_told(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time) as point, _with_button(point, tmp_path) as hand:
        point.kit_order = _standing(desk)
        await _hold(hand, 4.5)
        report = await point.told("refused")
        assert (report.run, report.by) == ("standing", "button")
        assert report.evidence == ("reason: short_press", "held_ms: 4500")
        assert point.radio.changes == ["normal"]


@pytest.mark.parametrize(
    "why", ["no_standing", "signature", "another", "expired", "no_key", "arguments", "clock", "lost", "disk"]
)
async def test_what_is_not_a_good_standing_order_is_refused_with_evidence(
    tmp_path: Path, time: HandTime, desk: Desk, why: str
) -> None:
    folder = tmp_path / "ap"
    expected = {"another": "signature", "clock": "", "lost": ""}.get(why, why)
    async with running(folder, time) as point:
        order = _standing(
            desk, device="ap-2" if why == "another" else DEVICE, action="drill" if why == "arguments" else "begin"
        )
        point.kit_order = None if why == "no_standing" else order
        if why == "signature":
            point.kit_order = changed(order, arguments={**order.arguments, "minutes": 43_200})
        elif why == "expired":
            time.pass_ms(2 * YEAR_MS)
        elif why == "no_key":
            (folder / "identity" / "orders.pub").unlink()
        elif why == "clock":
            # A board that has lost its time goes on: what counts is that somebody stands there.
            time.set_wall(0, synced=False)
        elif why in ("lost", "disk"):
            point.seen.close()
        if why == "lost":
            (folder / "orders.db").write_bytes(b"no database" * 1000)
            # An order that can be in no hands but these: it is better carried out twice than not in a disaster.
            time.pass_ms(1)
        elif why == "disk":
            for path in folder.glob("orders.db*"):
                path.unlink()
            (folder / "orders.db").mkdir()
        begins = await point.standing.use(("held_ms: 5000",))
        assert begins == (expected == "")
        if expected:
            assert (await point.told("refused")).evidence == (f"reason: {expected}", "held_ms: 5000")
            assert point.radio.changes == ["normal"]
            assert (await point.standing.rehearse()) == [f"standing: {expected}"]


async def test_a_drill_can_see_that_the_button_would_work(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time) as point:
        point.kit_order = _standing(desk)
        assert await point.standing.rehearse() == ["standing: ok"]
        assert await point.standing.use(())
        assert await point.standing.rehearse() == ["standing: used_before"]


async def test_a_power_cut_between_the_book_and_the_air_does_not_waste_the_order(
    tmp_path: Path, time: HandTime, desk: Desk
) -> None:
    order = _standing(desk)
    point = Point(tmp_path / "ap", time)
    point.seen.begin(order, b'{"action":"begin","run":"standing","minutes":1440}', time.stamp())
    point.close()
    time.boot, time.mono_ms = "boot-2", 30_000
    async with running(tmp_path / "ap", time) as point:
        report = await point.told("begun")
        assert (report.run, report.by) == (f"standing-{order.id[:8]}", "button")
        assert point.modes.now.name == "disaster"


async def test_a_child_at_the_button_does_not_fill_the_disk_and_a_real_press_still_counts(
    tmp_path: Path, time: HandTime, desk: Desk
) -> None:
    async with running(tmp_path / "ap", time) as point:
        for _ in range(50):
            await point.modes.refuse("standing", "button", ["reason: short_press"])

        async def told() -> bool:
            return len(await point.reports()) == 20

        await until(told)
        point.kit_order = _standing(desk)
        assert await point.standing.use(())
        time.pass_ms(HOUR_MS)
        await point.modes.refuse("standing", "button", ["reason: short_press"])
        await until(lambda: _count(point, 22))


async def _count(point: Point, wanted: int) -> bool:
    return len(await point.reports()) == wanted


# ---- an input device


def _event(kind: int, code: int, value: int) -> bytes:
    return EVENT.pack(0, 0, kind, code, value)


async def test_an_input_device_is_read_as_the_kernel_writes_it(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    device = tmp_path / "event0"
    now_s = 100.0
    async with running(tmp_path / "ap", time) as point:
        point.kit_order = _standing(desk)
        button = Button(str(device), point.standing.use, point.modes, now_s=lambda: now_s, leds=tmp_path)
        task = asyncio.create_task(button.run())
        await asyncio.sleep(0.2)
        os.mkfifo(device)
        kernel = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        try:
            # EV_KEY, KEY_WPS_BUTTON; then the report that ends each group of events (EV_SYN).
            os.write(kernel, _event(1, 0x211, 1) + _event(0, 0, 0))
            await until(lambda: button._held.since_ms is not None)
            for _ in range(3):
                now_s += 1
                os.write(kernel, _event(1, 0x211, 2) + _event(0, 0, 0))
                await asyncio.sleep(0.2)
            assert point.modes.now.name == "normal"
            now_s += 2.5
            await until(lambda: point.modes.now.name == "disaster")
            os.write(kernel, _event(1, 0x211, 0) + _event(0, 0, 0))
        finally:
            os.close(kernel)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_device_that_goes_away_while_it_is_held_presses_nothing(tmp_path: Path, time: HandTime) -> None:
    device, now_s = tmp_path / "event0", 100.0
    os.mkfifo(device)
    async with running(tmp_path / "ap", time) as point:
        button = Button(str(device), point.standing.use, point.modes, now_s=lambda: now_s, leds=tmp_path)
        task = asyncio.create_task(button.run())
        kernel = os.open(device, os.O_RDWR | os.O_NONBLOCK)
        os.write(kernel, _event(1, 0x211, 1))
        await until(lambda: button._held.since_ms is not None)
        os.close(kernel)
        await until(lambda: button._held == Held())
        now_s += 60
        await asyncio.sleep(0.5)
        assert await point.reports() == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# ---- the rule of pressing


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9_000)), max_size=40))
def test_a_press_counts_once_after_five_seconds_down_and_never_otherwise(seen: list[tuple[bool, int]]) -> None:
    held, now_ms, since_ms, counted = Held(), 0, None, False
    for down, later_ms in seen:
        now_ms += later_ms
        held, press = passed(held, now_ms)
        assert (press is not None) == (since_ms is not None and not counted and now_ms - since_ms >= HELD_MS)
        counted = counted or press is not None
        held, short = moved(held, down=down, now_ms=now_ms)
        assert (short is not None) == (not down and since_ms is not None and not counted)
        if down:
            since_ms = now_ms if since_ms is None else since_ms
        else:
            since_ms, counted = None, False


@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_events(data: bytes) -> None:
    assert len(keys_in(data)) <= len(data) // EVENT.size
    assert struct.calcsize("@llHHi") == EVENT.size


def test_only_keys_and_only_changes_count() -> None:
    data = _event(1, 30, 1) + _event(1, 30, 2) + _event(3, 0, 1) + _event(1, 30, 0) + b"half"
    assert keys_in(data) == [True, False]
