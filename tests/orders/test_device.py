"""Orders on a device: at most once ever, told whatever happens in between, never anything but what is in the list."""

import asyncio
import base64
import secrets
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.clock.hand_time import HandTime
from tests.orders.parts import DEVICE, MINUTE_MS, Desk, Device, changed, running, until
from wire import codec, signed
from wire.messages import Order, Result
from wire.orders import VERBS


async def test_a_ping_is_delivered_then_done(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("ping")
    async with running(state, time) as device:
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "done")
        assert await device.results() == [Result(order.id, "delivered"), Result(order.id, "done")]


async def test_what_comes_again_is_answered_and_not_done_again(desk: Desk, state: Path, time: HandTime) -> None:
    mark = state.parent / "mark"
    order = desk.order("reboot")
    async with running(state, time, reboot=("sh", "-c", f"echo >> {mark}; exit 3")) as device:
        for _ in range(5):
            device.orders.take(order)
        assert (await device.end_of(order.id)).state == "failed"
        # The end is told a moment before the order is done with; until then one that comes again is passed over.
        await until(lambda: _again(device, order, 2))
    # Also not by the next process.
    async with running(state, time, reboot=("sh", "-c", f"echo >> {mark}")) as device:
        device.orders.take(order)
        await until(lambda: _more(device, order.id, 3))
        assert {one.detail for one in await device.ends(order.id)} == {"no_reboot_here: sh ended with 3"}
    assert mark.read_text() == "\n"


async def _again(device: Device, order: Order, count: int) -> bool:
    device.orders.take(order)
    return await _more(device, order.id, count)


async def _more(device: Device, order_id: str, count: int) -> bool:
    return len(await device.ends(order_id)) >= count


async def test_an_order_that_was_begun_is_never_begun_again(desk: Desk, state: Path, time: HandTime) -> None:
    mark = state.parent / "mark"
    command = ("sh", "-c", f"echo >> {mark}")
    order, scan = desk.order("reboot"), desk.order("diagnostics")
    async with running(state, time, reboot=command) as device:
        device.orders.take(order)
        await until(mark.exists)
        # One more, killed halfway: it is on disk as begun, and nothing else.
        device.seen.begin(scan, b"{}", device.clock.stamp())
    # The same boot: the agent alone was killed. It waits for the reboot that was asked for.
    async with running(state, time, reboot=command) as device:
        device.orders.take(order)
        device.orders.take(scan)
        assert await device.end_of(scan.id) == Result(scan.id, "failed", "interrupted")
        assert await device.ends(order.id) == []
    time.boot = "boot-2"
    async with running(state, time, reboot=command) as device:
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "done")
    assert mark.read_text() == "\n"


async def test_a_reboot_that_does_not_come_is_a_failure(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("reboot")
    async with running(state, time, reboot=("true",)) as device:
        device.seen.begin(order, b"{}", device.clock.stamp())
    time.mono_ms += 181_000
    async with running(state, time, reboot=("true",)) as device:
        assert await device.end_of(order.id) == Result(order.id, "failed", "still_up")


@pytest.mark.parametrize(
    ("command", "detail"),
    [((), "no_reboot_here"), (("/no/such/command",), "no_reboot_here: No such file or directory")],
)
async def test_a_device_that_may_not_reboot(
    desk: Desk, state: Path, time: HandTime, command: tuple[str, ...], detail: str
) -> None:
    order = desk.order("reboot")
    async with running(state, time, reboot=command) as device:
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "failed", detail)


async def test_an_unknown_order_is_refused_and_told(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("dance")
    async with running(state, time) as device:
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "refused", "unknown_order")
        assert await device.results() == [Result(order.id, "refused", "unknown_order")]


async def test_an_order_waits_for_its_turn_and_is_late_then(desk: Desk, state: Path, time: HandTime) -> None:
    first, second = desk.order("reboot"), desk.order("lock")
    async with running(state, time, reboot=("sh", "-c", "sleep 1; exit 1")) as device:
        device.orders.take(first)
        device.orders.take(second)
        await until(lambda: _told(device, second.id, "delivered"))
        time.wall_ms += 2 * MINUTE_MS
        assert await device.end_of(second.id) == Result(second.id, "expired")
        assert not device.screen.locked


async def _told(device: Device, order_id: str, state: str) -> bool:
    return any((one.order, one.state) == (order_id, state) for one in await device.results())


async def test_a_stranger_cannot_use_up_an_id_nor_fill_the_disk(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("ping")
    async with running(state, time) as device:
        device.orders.take(changed(order, name="wipe"))
        for _ in range(100):
            device.orders.take(changed(desk.order("ping"), arguments={"x": 1}))
        device.orders.take(order)
        await until(lambda: _told(device, order.id, "done"))
        refused = [one for one in await device.results() if one.detail == "signature"]
        assert len(refused) == 20


async def test_a_nonce_belongs_to_one_order(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("ping")
    same = Order("f" * 32, "ping", {}, order.not_after_ms, order.nonce, "")
    signature = desk.signing._key.sign(signed.order_bytes(DEVICE, same))
    same = changed(same, signature=base64.urlsafe_b64encode(signature).decode().rstrip("="))
    async with running(state, time) as device:
        device.orders.take(order)
        await device.end_of(order.id)
        device.orders.take(same)
        assert await device.end_of(same.id) == Result(same.id, "refused", "used_before")


async def test_what_is_over_for_a_day_is_forgotten(desk: Desk, state: Path, time: HandTime) -> None:
    order = desk.order("ping")
    async with running(state, time) as device:
        device.orders.take(order)
        await device.end_of(order.id)
        await until(lambda: not device.seen.untold())
        assert device.seen.forget(time.wall_ms) == 0
        assert device.seen.forget(time.wall_ms + 86_400_000 + 2 * MINUTE_MS) == 1


async def test_a_memory_that_cannot_be_read_is_put_aside_and_older_orders_with_it(
    desk: Desk, state: Path, time: HandTime
) -> None:
    before = desk.order("ping", good_ms=VERBS["ping"].good_for_ms)
    time.wall_ms += 1000
    (state / "orders.db").write_bytes(b"no database, but more than a few bytes of something else" * 100)
    async with running(state, time) as device:
        device.orders.take(before)
        assert await device.end_of(before.id) == Result(before.id, "refused", "used_before")
        after = desk.order("ping", good_ms=VERBS["ping"].good_for_ms)
        device.orders.take(after)
        assert await device.end_of(after.id) == Result(after.id, "done")
    assert (state / "orders.db.broken").exists()


async def test_a_memory_that_takes_nothing_stops_everything_but_a_wipe(desk: Desk, state: Path, time: HandTime) -> None:
    async with running(state, time) as device:
        await until(lambda: (state / "orders.db").exists() and device.seen.figures() == (0, 0))
        with sqlite3.connect(state / "orders.db") as holder:
            holder.execute("DROP TABLE seen")
        ping, wipe = desk.order("ping"), desk.order("wipe", at_once=True)
        device.orders.take(ping)
        device.orders.take(wipe)
        assert (await device.end_of(wipe.id)).state == "done"
        assert await device.ends(ping.id) == []
        holder.close()


async def test_a_mistake_of_ours_ends_the_order_and_not_the_agent(desk: Desk, state: Path, time: HandTime) -> None:
    async with running(state, time) as device:

        async def fail(given: object) -> None:
            raise RuntimeError("a mistake")

        device.doings.by_name["ping"] = device.doings.by_name["ping"]._replace(do=fail)
        order, other = desk.order("ping"), desk.order("identify")
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "failed", "fault")
        device.orders.take(other)
        assert (await device.end_of(other.id)).state == "failed"


async def test_what_takes_too_long_is_ended(desk: Desk, state: Path, time: HandTime) -> None:
    async with running(state, time) as device:

        async def wait(given: object) -> None:
            await asyncio.sleep(3600)

        device.doings.by_name["ping"] = device.doings.by_name["ping"]._replace(do=wait, limit_s=0.05)
        order = desk.order("ping")
        device.orders.take(order)
        assert await device.end_of(order.id) == Result(order.id, "failed", "too_long")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_HEX = st.from_regex("[0-9a-f]{32}", fullmatch=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*VERBS, "dance", "x"]),
            st.dictionaries(st.text(max_size=8), _JSON, max_size=3),
            st.booleans(),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_order_is_answered_once_or_not_at_all(
    desk: Desk, state: Path, time: HandTime, told: list[tuple[str, dict[str, object], bool]]
) -> None:
    """Signed or not, with whatever inside: nothing is done that is not in the list, and the agent goes on."""

    async def run() -> None:
        time.wall_ms += 1
        async with running(state, time) as device:
            for name, arguments, is_signed in told:
                plain = Order("0" * 32, name, arguments, time.wall_ms + 1000, "1" * 32, "A" * 86)
                if is_signed:
                    signing, odd = desk.signing, {**arguments, "more": 1}
                    try:
                        plain = signing.order(DEVICE, secrets.token_hex(16), name, odd, time.wall_ms + 1000)
                    except signed.NotCanonical:
                        continue
                try:
                    order = codec.decode_down(codec.encode(plain))
                except codec.Unreadable:
                    continue
                assert isinstance(order, Order)
                device.orders.take(order)
            ping = desk.order("ping")
            device.orders.take(ping)
            await device.end_of(ping.id)
            others = [one for one in await device.results() if one.order != ping.id]
            assert all(one.state == "refused" or one.detail == "" for one in others)
            assert not any(one.state == "failed" for one in others)
            assert not device.screen.locked

    asyncio.run(run())
