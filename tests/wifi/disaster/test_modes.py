"""The modes of an access point: begun by the hub's orders, through kills and power cuts, to their end."""

import secrets
from pathlib import Path
from typing import Any

import pytest

from edge_agent.effective import Effective
from edge_agent.orders.doings import Doings
from edge_agent.wifi.disaster import DISASTER_NETWORK, Mode
from edge_agent.wifi.mode_task import Air, Refused
from tests.clock.hand_time import MORNING_MS, HandTime
from tests.orders.parts import Desk
from tests.wifi.disaster.parts import DEVICE, HOUR_MS, MINUTE_MS, TOWN, Point, running, until
from wire.messages import Order
from wire.policy import Opening


@pytest.fixture
def time() -> HandTime:
    """The morning of a day on which the house is open."""
    return HandTime()


@pytest.fixture
def desk(tmp_path: Path, time: HandTime) -> Desk:
    """A hub's signature that the access point knows."""
    desk = Desk(tmp_path, time)
    desk.enrol(tmp_path / "ap")
    return desk


def _order(desk: Desk, action: str, run: str = "run-1", **more: Any) -> Order:
    return desk.order("disaster", device=DEVICE, action=action, run=run, **more)


async def test_an_order_begins_it_and_the_town_s_network_stays_on_the_air(
    tmp_path: Path, time: HandTime, desk: Desk
) -> None:
    async with running(tmp_path / "ap", time) as point:
        seen: list[Mode] = []
        point.modes.watch(seen.append)
        order = _order(desk, "begin", minutes=90)
        point.orders.take(order)
        assert (await point.end_of(order.id)).state == "done"
        now = point.modes.now
        assert (now.name, now.network_name, now.guests, now.run) == ("disaster", DISASTER_NETWORK, "open", "run-1")
        assert now.ends_ms == MORNING_MS + 90 * MINUTE_MS
        assert seen == [now]
        assert point.radio.names == {TOWN, DISASTER_NETWORK}
        report = await point.told("begun")
        assert (report.run, report.by, report.ends_ms) == ("run-1", "order", now.ends_ms)
        assert report.evidence == (
            f"order: {order.id}",
            f"before: on 3 wpa3 {TOWN}",
            "sessions_before: 0",
            f"after: on 3 wpa3 {TOWN}",
            f"after: on 0 open {DISASTER_NETWORK}",
            "sessions_after: 0",
        )
        # The same once more is as once.
        again = _order(desk, "begin", minutes=90)
        point.orders.take(again)
        assert (await point.end_of(again.id)).state == "done"
        end = _order(desk, "end")
        point.orders.take(end)
        assert (await point.end_of(end.id)).state == "done"
        assert point.modes.now.name == "normal"
        assert (await point.told("ended")).by == "order"
        assert point.radio.changes == ["normal", "disaster", "normal"]
        # What came late of a run that is over changes nothing.
        late = _order(desk, "begin", minutes=90)
        point.orders.take(late)
        assert (await point.end_of(late.id)).detail == "used_before"
        assert (await point.told("refused")).evidence == ("reason: used_before", f"order: {late.id}")
        assert point.modes.now.name == "normal"


async def test_an_end_that_overtakes_its_beginning_wins(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time) as point:
        end, begin = _order(desk, "end"), _order(desk, "begin")
        point.orders.take(end)
        assert (await point.end_of(end.id)).detail == "nothing_ran"
        point.orders.take(begin)
        assert (await point.end_of(begin.id)).state == "refused"
        late = _order(desk, "begin", "run-2", until_ms=MORNING_MS - 1)
        point.orders.take(late)
        assert (await point.end_of(late.id)).state == "expired"
        assert point.radio.changes == ["normal"]


async def test_it_ends_by_time_whatever_the_wall_clock_does(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time) as point:
        order = _order(desk, "begin", minutes=60)
        point.orders.take(order)
        await point.end_of(order.id)
        time.mono_ms += 59 * MINUTE_MS
        time.set_wall(MORNING_MS - 24 * HOUR_MS)
        await until(lambda: point.modes.now.ends_ms == MORNING_MS - 24 * HOUR_MS + MINUTE_MS)
        assert point.modes.now.name == "disaster"
        time.mono_ms += MINUTE_MS
        await until(lambda: point.modes.now.name == "normal")
        report = await point.told("ended")
        assert (report.by, report.run) == ("time", "run-1")
        assert f"before: on 0 open {DISASTER_NETWORK}" in report.evidence
        assert point.radio.names == {TOWN}


@pytest.mark.parametrize("boot", ["boot-1", "boot-2"])
async def test_a_kill_or_a_power_cut_in_the_middle_changes_nothing_but_the_evidence(
    tmp_path: Path, time: HandTime, desk: Desk, boot: str
) -> None:
    folder = tmp_path / "ap"
    async with running(folder, time) as point:
        order = _order(desk, "begin", minutes=60)
        point.orders.take(order)
        await point.end_of(order.id)
        await point.told("begun")
    time.pass_ms(20 * MINUTE_MS)
    if boot != "boot-1":
        # The board was dark, and came up a minute ago.
        time.boot, time.mono_ms = boot, MINUTE_MS
    async with running(folder, time) as point:
        # On the air at once, before any task has begun.
        assert point.radio.changes[0] == "disaster"
        await until(lambda: point.modes.now.ends_ms == MORNING_MS + 60 * MINUTE_MS)

        async def resumed() -> bool:
            return any(one.by == "restart" and one.state == "begun" for one in await point.reports())

        await until(resumed)
        time.pass_ms(40 * MINUTE_MS)
        await until(lambda: point.modes.now.name == "normal")
        assert (await point.told("ended")).by == "time"
    # It was over while nobody was there: it is not on the air for a moment.
    async with running(folder, time) as point:
        order = _order(desk, "begin", "run-2", minutes=5)
        point.orders.take(order)
        await point.end_of(order.id)
    time.pass_ms(10 * MINUTE_MS)
    async with running(folder, time) as point:
        await point.told("ended", "run-2")
        assert point.modes.now.name == "normal"


async def test_an_order_that_was_killed_before_its_first_step_is_gone_on_with(
    tmp_path: Path, time: HandTime, desk: Desk
) -> None:
    folder = tmp_path / "ap"
    order = _order(desk, "begin", minutes=60)
    point = Point(folder, time)
    point.seen.begin(order, b'{"action":"begin","run":"run-1","minutes":60}', time.stamp())
    point.close()
    async with running(folder, time) as point:
        assert (await point.end_of(order.id)).state == "done"
        assert point.modes.now.run == "run-1"


async def test_a_report_that_was_not_told_is_told_by_the_next_process_as_of_then(
    tmp_path: Path, time: HandTime
) -> None:
    folder = tmp_path / "ap"
    point = Point(folder, time)
    await point.modes.begin("run-1", 60, "order")
    point.close()
    time.pass_ms(MINUTE_MS)
    async with running(folder, time) as point:
        await point.told("begun")
        first, *_ = await point.spool.recent("disaster_report", 10)
        assert first.at_ms == MORNING_MS


async def test_a_drill_goes_the_whole_way_and_touches_nothing_on_the_air(
    tmp_path: Path, time: HandTime, desk: Desk
) -> None:
    async with running(tmp_path / "ap", time) as point:
        order = _order(desk, "drill", "drill-1", minutes=15)
        point.orders.take(order)
        assert (await point.end_of(order.id)).state == "done"
        assert (point.modes.now.name, point.modes.now.guests) == ("drill", "captive")
        report = await point.told("drilled")
        assert f"would_open: {DISASTER_NETWORK}" in report.evidence
        assert f"files: ok {DISASTER_NETWORK}" in report.evidence
        assert f"before: on 3 wpa3 {TOWN}" in report.evidence
        assert f"after: on 3 wpa3 {TOWN}" in report.evidence
        time.pass_ms(15 * MINUTE_MS)
        assert (await point.told("ended")).by == "time"
        assert point.modes.now.name == "normal"
        assert point.radio.changes == ["normal"]


async def test_the_real_thing_takes_the_place_of_a_drill(tmp_path: Path, time: HandTime) -> None:
    async with running(tmp_path / "ap", time) as point:
        await point.modes.drill("drill-1", 15)
        await point.modes.begin("run-1", 60, "order")
        assert (await point.told("ended", "drill-1")).evidence == (
            "taken_over: run-1",
            f"after: on 3 wpa3 {TOWN}",
            f"after: on 0 open {DISASTER_NETWORK}",
            "sessions_after: 0",
        )
        with pytest.raises(Refused) as refused:
            await point.modes.drill("drill-2", 15)
        assert refused.value.reason == "disaster_runs"


async def test_a_disk_that_takes_nothing_does_not_keep_it_from_beginning(tmp_path: Path, time: HandTime) -> None:
    folder = tmp_path / "ap"
    folder.mkdir()
    # No folder can be made where a file lies.
    (folder / "wifi").write_text("in the way")
    async with running(folder, time) as point:
        assert (await point.modes.begin("run-1", 60, "button")).name == "disaster"
        await point.told("begun")
        await point.modes.end("run-1", "order")
        assert (await point.told("ended")).evidence[0] == "disk: fails"


async def test_a_state_that_cannot_be_read_is_no_state(tmp_path: Path, time: HandTime) -> None:
    folder = tmp_path / "ap"
    (folder / "wifi").mkdir(parents=True)
    (folder / "wifi" / "disaster.json").write_bytes(b"{")
    async with running(folder, time) as point:
        assert point.modes.now.name == "normal"


async def test_the_opening_hours_and_their_change_reach_it_at_once(tmp_path: Path, time: HandTime) -> None:
    tuesdays = Opening(tuesday=["08:30-17:15"])
    async with running(tmp_path / "ap", time) as point:
        point.holder.put(Effective(network_name=TOWN, opening_follows=True, opening=tuesdays))
        # 8:24 in Japan.
        assert point.modes.now.name == "closed"
        time.pass_ms(6 * MINUTE_MS)
        await until(lambda: point.modes.now.name == "normal")
        await point.modes.begin("run-1", 24 * 60, "order")
        time.pass_ms(12 * HOUR_MS)
        # In a disaster nobody is sent away because the house closes.
        await until(lambda: point.modes.now.ends_ms)
        assert point.radio.names == {TOWN, DISASTER_NETWORK}
        await point.modes.end("run-1", "order")
        assert point.modes.now.name == "closed"


async def test_air_that_cannot_be_seen_holds_nothing_up(tmp_path: Path, time: HandTime) -> None:
    async def blind() -> Air:
        raise OSError("no control socket")

    async with running(tmp_path / "ap", time) as point:
        point.modes._look = blind
        await point.modes.begin("run-1", 60, "order")
        assert (await point.told("begun")).evidence == ()


async def test_a_rehearsal_that_fails_is_evidence_and_not_a_fault(tmp_path: Path, time: HandTime) -> None:
    async def broken(mode: Mode) -> list[str]:
        raise OSError("no dnsmasq")

    async with running(tmp_path / "ap", time) as point:
        point.modes._rehearse = broken
        await point.modes.drill("drill-1", 15)
        assert "would_fail: no dnsmasq" in (await point.told("drilled")).evidence


async def test_one_session_is_ended_by_its_name(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    session, other = secrets.token_hex(16), secrets.token_hex(16)
    async with running(tmp_path / "ap", time) as point:
        point.radio.sessions = {session, other}
        order = desk.order("wifi_end", device=DEVICE, session=session)
        point.orders.take(order)
        assert (await point.end_of(order.id)).state == "done"
        assert point.radio.sessions == {other}
        gone = desk.order("wifi_end", device=DEVICE, session=session)
        point.orders.take(gone)
        assert (await point.end_of(gone.id)).detail == "no_such_session"


async def test_what_receives_no_guests_says_so(tmp_path: Path, time: HandTime, desk: Desk) -> None:
    async with running(tmp_path / "ap", time, guests="") as point:
        order = _order(desk, "begin")
        point.orders.take(order)
        assert (await point.end_of(order.id)).detail == "no_guests"
        bare = Doings(point.settings, point.spool, point.clock, None, lambda: None)
        assert (await bare.by_name["wifi_end"].do(None)).detail == "no_guests"  # type: ignore[arg-type,union-attr]
