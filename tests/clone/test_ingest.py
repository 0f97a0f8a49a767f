"""A hub that finds two devices with one identity: both on hold, everything answered, nothing of it counted or lost."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import audit
from hub.fleet import clone, clone_store, outbox
from hub.fleet.clone_web import carry_out
from tests.broker import Broker
from tests.ingest.parts import SPOOL, Device, Hub, batch, punch, record, running_hub, soon
from wire import codec, topics
from wire.messages import Ack, Batch, Lane, Presence

NAME = "terminal-1"
URGENT: Lane = "urgent"


@pytest.fixture
def hub(tmp_path: Path, broker: Broker) -> Iterator[Hub]:
    """A hub that takes in."""
    with running_hub(tmp_path / "hub.db", broker.port) as running:
        yield running


OPEN: list[Device] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Closes what the copies have opened: one was pushed off, but holds its socket."""
    yield
    while OPEN:
        OPEN.pop().drop()


class Copy:
    """One of the devices that use the name: connects (which pushes the other off), tells who it is, sends."""

    def __init__(self, port: int, run: str, boot: str) -> None:
        self.port, self.run, self.boot = port, run, boot
        self.connection = 0

    def connect(self) -> Device:
        """Comes, as an agent does."""
        self.connection += 1
        device = Device(self.port, NAME)
        OPEN.append(device)
        told = Presence(True, self.boot, self.connection, "t", "terminal", run=self.run)
        device.send(codec.encode(told), topics.topic(NAME, "presence"))
        return device

    def punches(self, after: int, through: int, mono_ms: int = 0) -> Batch:
        """Taps of this copy under numbers of the common spool."""
        taps = (punch(seq, boot=self.boot, mono_ms=mono_ms + seq) for seq in range(after + 1, through + 1))
        return batch(after, *taps, lane=URGENT)


def held(hub: Hub) -> bool:
    """Whether the device is on hold as copied."""
    return bool(hub.db.read(clone_store.held))


def kept(hub: Hub, boot: str) -> list[int]:
    """The numbers of the records of a boot that are kept apart."""
    return hub.db.read(
        lambda conn: [
            seq for (seq,) in conn.execute("SELECT seq FROM clone_record WHERE boot = ? ORDER BY seq", (boot,))
        ]
    )


def counted(hub: Hub) -> int:
    """How many taps count."""
    return hub.count("SELECT count(*) FROM punch")


def find_out(hub: Hub, port: int) -> tuple[Copy, Copy, Device]:
    """Two copies that have been found out; the first is connected."""
    one, other = Copy(port, "a" * 16, "boot-a"), Copy(port, "b" * 16, "boot-b")
    one.connect().deliver(one.punches(0, 3))
    other.connect()
    assert not held(hub)
    device = one.connect()
    assert soon(lambda: held(hub))
    return one, other, device


def test_both_are_on_hold_when_the_first_returns(hub: Hub, broker: Broker) -> None:
    find_out(hub, broker.port)
    entries = hub.db.read(lambda conn: conn.execute("SELECT who, did, what FROM audit").fetchall())
    assert entries == [(audit.SYSTEM, "clone", NAME)]
    assert hub.db.read(lambda conn: set(outbox.held(conn).values())) == {"clone"}


def test_records_of_both_under_the_same_numbers_are_answered_and_kept_apart(hub: Hub, broker: Broker) -> None:
    one, other, device = find_out(hub, broker.port)
    assert device.deliver(one.punches(3, 5)) == Ack(SPOOL, URGENT, 5, one.run)
    device = other.connect()
    assert device.deliver(other.punches(3, 7)) == Ack(SPOOL, URGENT, 7, other.run)
    # The first is where it was, whatever the other has sent.
    device = one.connect()
    device.send(one.punches(9, 10))
    assert device.ack() == Ack(SPOOL, URGENT, 5, one.run)
    device.send(one.punches(3, 5))
    assert device.ack() == Ack(SPOOL, URGENT, 5, one.run)
    device.send(batch(5, lane=URGENT))
    assert device.ack() == Ack(SPOOL, URGENT, 5, one.run)
    assert (kept(hub, "boot-a"), kept(hub, "boot-b")) == ([4, 5], [4, 5, 6, 7])
    assert counted(hub) == 3
    assert hub.seqs(URGENT) == [1, 2, 3]


def test_what_cannot_be_read_is_kept_as_well(hub: Hub, broker: Broker) -> None:
    one, _, device = find_out(hub, broker.port)
    odd = record(5, b'{"card": 7}', "punch", boot=one.boot)
    device.deliver(batch(3, record(4, boot=one.boot), odd, lane=URGENT))
    assert kept(hub, one.boot) == [4, 5]
    head = f'{{"spool":"{SPOOL}","lane":"urgent","after":5,"records":[[6,"Odd"],[7,"Odd"]]}}'
    device.send(head.encode())
    assert device.ack() == Ack(SPOOL, URGENT, 7, one.run)
    device.send(head.encode())
    assert device.ack() == Ack(SPOOL, URGENT, 7, one.run)
    assert hub.count("SELECT count(*) FROM quarantine") == 2


def test_a_hub_that_begins_anew_goes_on_where_it_was(tmp_path: Path, broker: Broker) -> None:
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        one, other, device = find_out(hub, broker.port)
        device.deliver(one.punches(3, 5))
        device = other.connect()
        device.deliver(other.punches(3, 4))
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        assert held(hub)
        # It tells no cursor of its own: each of the two has another.
        assert device.deliver(other.punches(4, 6)) == Ack(SPOOL, URGENT, 6, other.run)
        device = one.connect()
        device.send(one.punches(7, 8))
        assert device.ack() == Ack(SPOOL, URGENT, 5, one.run)
        assert (kept(hub, one.boot), kept(hub, other.boot)) == ([4, 5], [4, 5, 6])


def test_runs_are_remembered_by_a_hub_that_begins_anew(tmp_path: Path, broker: Broker) -> None:
    one, other = Copy(broker.port, "a" * 16, "boot-a"), Copy(broker.port, "b" * 16, "boot-a")
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        one.connect()
        other.connect().deliver(other.punches(0, 1))
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        one.connect()
        assert soon(lambda: held(hub))


def test_one_that_was_only_started_again_and_again_counts_on(hub: Hub, broker: Broker) -> None:
    after = 0
    for number in range(5):
        copy = Copy(broker.port, f"{number:016}", f"boot-{number // 2}")
        for _ in range(2):
            device = copy.connect()
            device.deliver(copy.punches(after, after + 2))
            after += 2
    assert not held(hub)
    assert counted(hub) == 20


def which(hub: Hub, boot: str) -> dict[str, str]:
    """What the page's form says of the records of one boot."""
    (found,) = [one for one in hub.db.read(clone_store.kept) if one.boot == boot]
    return {"device": found.device, "spool": found.spool, "run": found.run, "boot": found.boot}


def decide(hub: Hub, do: str, form: dict[str, str]) -> bool:
    """What a person decides."""
    done = hub.db.write_now(lambda conn: carry_out(conn, do, form, "officer", 1))  # type: ignore[arg-type]
    hub.ingest.look_again()
    # It is read by the loop's thread.
    time.sleep(0.05)
    return done


def test_a_person_takes_one_in_throws_the_other_away_and_lets_the_name_go(hub: Hub, broker: Broker) -> None:
    one, other, device = find_out(hub, broker.port)
    device.deliver(one.punches(3, 5))
    other.connect().deliver(other.punches(3, 400))
    form, thrown = which(hub, one.boot), which(hub, other.boot)
    assert decide(hub, "clone_take", form)
    assert soon(lambda: counted(hub) == 5)
    assert not decide(hub, "clone_take", form), "there is nothing left"
    assert decide(hub, "clone_drop", thrown)
    assert soon(lambda: hub.count("SELECT count(*) FROM clone_record") == 0)
    spool = clone.spool_of(form["spool"], form["run"], form["boot"])
    assert hub.seqs(URGENT, spool) == [4, 5]
    assert decide(hub, "clone_release", {"device": NAME})
    assert not held(hub)
    # It goes on where it was answered: what was kept apart is not offered once more.
    device = one.connect()
    device.send(one.punches(5, 8))
    assert device.ack() == Ack(SPOOL, URGENT, 8)
    assert counted(hub) == 8
    assert hub.seqs(URGENT) == [1, 2, 3, 6, 7, 8]
    did = hub.db.read(lambda conn: [row for (row,) in conn.execute("SELECT did FROM audit ORDER BY id")])
    assert did == ["clone", "clone_take", "clone_drop", "clone_release"]
    # The other one is still there: it is found out once more.
    other.connect()
    assert not held(hub)
    one.connect()
    assert soon(lambda: held(hub))


def test_many_are_taken_in_once_though_the_hub_ends_meanwhile(tmp_path: Path, broker: Broker) -> None:
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        one, _, device = find_out(hub, broker.port)
        for after in range(3, 1503, 300):
            device.deliver(one.punches(after, after + 300))
        decide(hub, "clone_take", which(hub, one.boot))
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        assert soon(lambda: hub.count("SELECT count(*) FROM clone_record") == 0, 60)
        assert counted(hub) == 1503
        (rows, different) = hub.db.read(
            lambda conn: conn.execute("SELECT count(*), count(DISTINCT seq) FROM punch").fetchone()
        )
        assert rows == different


def test_a_device_that_was_stolen_is_not_called_copied_only(hub: Hub, broker: Broker) -> None:
    one, other = Copy(broker.port, "a" * 16, "boot-a"), Copy(broker.port, "b" * 16, "boot-b")
    one.connect().deliver(one.punches(0, 1))
    other.connect()

    hub.db.write_now(
        lambda conn: outbox.hold(conn, conn.execute("SELECT id FROM device").fetchone()[0], "stolen", 1, "officer")
    )
    one.connect().deliver(one.punches(1, 2))
    assert hub.db.read(lambda conn: set(outbox.held(conn).values())) == {"stolen"}


# ---- one number, two records, and no hold


def test_a_disk_that_was_put_back_loses_nothing_under_taken_numbers(hub: Hub, broker: Broker) -> None:
    """ADR 0009's open case: the copy wrote past the hub's cursor before it spoke."""
    before, after = Copy(broker.port, "a" * 16, "boot-a"), Copy(broker.port, "b" * 16, "boot-b")
    before.connect().deliver(before.punches(0, 10))
    device = after.connect()
    # Its copy was made at 6: 7 to 9 lie under numbers that are taken, and are answered only as far as they go.
    device.send(after.punches(6, 9))
    assert device.ack() == Ack(SPOOL, URGENT, 9, after.run)
    # 10 is taken as well, 11 and 12 are not.
    device.send(after.punches(9, 12))
    assert device.ack() == Ack(SPOOL, URGENT, 12)
    assert not held(hub)
    assert kept(hub, after.boot) == [7, 8, 9, 10]
    assert hub.seqs(URGENT) == list(range(1, 13))
    assert decide(hub, "clone_take", which(hub, after.boot))
    assert soon(lambda: counted(hub) == 16)


@pytest.mark.parametrize("again", [(0, 4), (2, 4), (0, 2)])
def test_what_is_said_again_is_not_kept_apart(hub: Hub, broker: Broker, again: tuple[int, int]) -> None:
    copy = Copy(broker.port, "a" * 16, "boot-a")
    device = copy.connect()
    device.deliver(copy.punches(0, 4))
    device.send(copy.punches(*again))
    assert device.ack() == Ack(SPOOL, URGENT, 4)
    assert kept(hub, copy.boot) == []


def test_boots_of_a_lane_are_remembered_by_a_hub_that_begins_anew(tmp_path: Path, broker: Broker) -> None:
    copy, later = Copy(broker.port, "a" * 16, "boot-a"), Copy(broker.port, "b" * 16, "boot-b")
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        copy.connect().deliver(copy.punches(0, 4))
    with running_hub(tmp_path / "hub.db", broker.port) as hub:
        device = later.connect()
        device.send(later.punches(2, 4))
        assert soon(lambda: kept(hub, later.boot) == [3, 4])
