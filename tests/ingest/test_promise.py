"""The promise (wire design): stored once, acknowledged after, healed by one cursor."""

import random
import time

from hub.attendance import store as attendance
from hub.fleet import store
from tests.broker import Broker
from tests.ingest.parts import SPOOL, Device, Hub, batch, punch, record, run_of, soon
from wire.messages import Ack, Alarm, Dropped


def test_a_batch_is_stored_and_then_acknowledged(hub: Hub, device: Device) -> None:
    device.send(run_of(0, 3))
    assert device.ack() == Ack(SPOOL, "bulk", 3)
    assert hub.seqs() == [1, 2, 3]
    row = hub.db.read(lambda conn: store.device(conn, "terminal-1"))
    assert row is not None
    assert row.online
    assert row.clock == "synced"
    assert row.health is not None
    assert row.health.cpu_permille == 100


def test_a_repeat_is_acknowledged_again_and_not_stored_again(hub: Hub, device: Device) -> None:
    for _ in range(2):
        device.send(run_of(0, 3))
        assert device.ack() == Ack(SPOOL, "bulk", 3)
    # Half old, half new.
    device.send(run_of(1, 4))
    assert device.ack() == Ack(SPOOL, "bulk", 5)
    assert hub.seqs() == [1, 2, 3, 4, 5]


def test_a_batch_that_does_not_join_is_answered_with_the_cursor(hub: Hub, device: Device) -> None:
    device.send(run_of(0, 2))
    assert device.ack() == Ack(SPOOL, "bulk", 2)
    device.send(run_of(5, 2))
    assert device.ack() == Ack(SPOOL, "bulk", 2)
    assert hub.seqs() == [1, 2]


def test_a_window_that_does_not_join_is_answered_once_a_second(hub: Hub, device: Device) -> None:
    began = time.monotonic()
    for after in (10, 20, 30, 40):
        device.send(run_of(after, 10))
        time.sleep(0.05)
    answers = 0
    while (ack := device.ack(0.2)) is not None:
        assert ack == Ack(SPOOL, "bulk", 0)
        answers += 1
    assert 1 <= answers <= 1 + int(time.monotonic() - began)
    assert hub.seqs() == []

    def answered_again() -> bool:
        device.send(run_of(10, 10))
        return device.ack(0.2) == Ack(SPOOL, "bulk", 0)

    assert soon(answered_again)


def test_a_lane_that_was_only_refused_keeps_its_number(hub: Hub, device: Device, broker: Broker) -> None:
    device.send(run_of(7, 1))
    assert device.ack() == Ack(SPOOL, "bulk", 0)
    other = Device(broker.port, "terminal-2")
    other.send(run_of(0, 2, spool="f" * 16))
    assert other.ack() == Ack("f" * 16, "bulk", 2)
    device.send(run_of(0, 1))
    assert device.ack() == Ack(SPOOL, "bulk", 1)
    assert (hub.seqs(), hub.seqs(spool="f" * 16)) == ([1], [1, 2])
    other.drop()


def test_shuffled_and_repeated_batches_end_up_stored_once_in_order(hub: Hub, device: Device) -> None:
    chosen = random.Random(7)
    batches = [run_of(after, 5) for after in range(0, 100, 5)]
    for _ in range(10):
        for each in chosen.sample(batches, len(batches)):
            device.send(each)
    for each in batches:
        device.deliver(each)
    assert hub.seqs() == list(range(1, 101))


def test_spools_and_lanes_have_cursors_of_their_own(hub: Hub, device: Device) -> None:
    device.deliver(run_of(0, 2))
    device.deliver(run_of(0, 3, spool="e" * 16))
    device.deliver(batch(0, punch(1), lane="urgent"))
    assert hub.seqs() == [1, 2]
    assert hub.seqs(spool="e" * 16) == [1, 2, 3]
    assert hub.seqs("urgent") == [1]
    assert hub.count("SELECT count(*) FROM punch") == 1


def test_what_the_device_no_longer_has_is_counted_once(hub: Hub, device: Device) -> None:
    for _ in range(2):
        device.send(batch(0, record(8), record(9), missing=7))
        assert device.ack() == Ack(SPOOL, "bulk", 9)
    assert hub.db.read(store.totals).missing == 7


def test_a_batch_without_records_is_answered(hub: Hub, device: Device) -> None:
    device.send(batch(0))
    assert device.ack() == Ack(SPOOL, "bulk", 0)


def test_what_cannot_be_read_is_kept_aside_and_does_not_hold_up_the_rest(hub: Hub, device: Device) -> None:
    device.send(batch(0, record(1), record(2, b'{"cpu_permille":"much"}'), record(3, b"[1]", "poem"), record(4)))
    assert device.ack() == Ack(SPOOL, "bulk", 4)
    assert hub.seqs() == [1, 3, 4]
    (kept,) = hub.db.read(store.quarantine)
    assert (kept.device, kept.lane, kept.seq, kept.kind) == ("terminal-1", "bulk", 2, "health")
    assert kept.raw == b'{"cpu_permille":"much"}'
    assert "int" in kept.reason
    # Through the cursor it is dealt with: a repeat does not keep it twice.
    device.send(run_of(0, 4))
    assert device.ack() == Ack(SPOOL, "bulk", 4)
    assert hub.db.read(store.totals).quarantined == 1


def test_a_record_that_is_odd_itself_is_kept_aside(hub: Hub, device: Device) -> None:
    plain = b'{"spool":"%s","lane":"bulk","after":0,"records":[[1,"HEALTH","b",1,1,"synced",{}],[2,"x","b",1]]}'
    device.send(plain % SPOOL.encode())
    assert device.ack() == Ack(SPOOL, "bulk", 2)
    assert [kept.seq for kept in hub.db.read(store.quarantine)] == [2, 1]


def test_messages_that_are_none_are_counted_kept_in_small_number_and_never_acknowledged(
    hub: Hub, device: Device
) -> None:
    for n in range(50):
        device.send(b"\x00nothing %d" % n)
    assert soon(lambda: hub.db.read(store.totals).unreadable == 50)
    assert hub.db.read(store.totals).quarantined == 20
    assert {kept.device for kept in hub.db.read(store.quarantine)} == {"terminal-1"}
    assert device.ack(0.2) is None
    device.deliver(run_of(0, 1))


def test_alarms_open_and_close_and_dropped_records_are_counted(hub: Hub, device: Device) -> None:
    def alarm(seq: int, state: str, name: str = "reader") -> Alarm:
        return Alarm(name, state, f"no {seq}")  # type: ignore[arg-type]

    device.deliver(
        batch(
            0,
            record(1, alarm(1, "begun"), "alarm"),
            record(2, alarm(2, "begun", "disk"), "alarm"),
            record(3, alarm(3, "begun"), "alarm"),
            lane="urgent",
        )
    )
    row = hub.db.read(lambda conn: store.device(conn, "terminal-1"))
    assert row is not None
    assert row.open_alarms == ("reader", "disk")
    device.deliver(batch(3, record(4, alarm(4, "ended"), "alarm"), lane="urgent"))
    row = hub.db.read(lambda conn: store.device(conn, "terminal-1"))
    assert row is not None
    assert row.open_alarms == ("disk",)
    assert [(a.name, a.ended_ms is None) for a in hub.db.read(store.alarms)] == [("disk", True), ("reader", False)]
    lost = Dropped({"health": 5, "usage": 2}, "bulk", 1, 9)
    device.deliver(batch(0, record(1, lost, "dropped"), record(2, lost, "dropped")))
    assert hub.db.read(lambda conn: store.dropped(conn, row.id)) == {"health": 10, "usage": 4}


def test_taps_come_newest_first_page_by_page(hub: Hub, device: Device, broker: Broker) -> None:
    other = Device(broker.port, "terminal-2")
    device.deliver(batch(0, *(punch(seq) for seq in range(1, 6)), lane="urgent"))
    other.deliver(batch(0, punch(1), lane="urgent", spool="a" * 16))
    taps = hub.db.read(attendance.latest_taps)
    assert [tap.device for tap in taps] == ["terminal-2"] + ["terminal-1"] * 5
    page = hub.db.read(lambda conn: attendance.latest_taps(conn, 2, taps[2].id))
    assert page == taps[3:5]
    assert hub.db.read(lambda conn: attendance.latest_taps(conn, device="terminal-2")) == taps[:1]
    other.drop()


def test_a_disk_put_back_from_a_copy_does_not_double_its_punches(hub: Hub, device: Device) -> None:
    device.deliver(batch(0, punch(1), punch(2), punch(3), lane="urgent"))
    # The copy knew of the first ack only; it found out that it is old, took a new name, and sends what it has:
    # punch 2 again, and one that was made since.
    device.deliver(batch(0, punch(2), punch(3, mono_ms=99), lane="urgent", spool="fedcba9876543210"))
    moments = hub.db.read(lambda conn: conn.execute("SELECT mono_ms FROM punch ORDER BY mono_ms").fetchall())
    assert moments == [(1,), (2,), (3,), (99,)]
