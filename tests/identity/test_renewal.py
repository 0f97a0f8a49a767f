"""A device gets its next certificate in time, and after a long time in a drawer: real agent, hub and broker, whose wall
clock is the test's (libfaketime)."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db
from hub.identity import store
from hub.told import Told
from tests.identity.parts import FAKETIME, Clock, NewDevice, OwnTown, ask_of, request_of, soon
from wire.messages import Renewal

pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")


@pytest.fixture
def town(tmp_path: Path) -> Iterator[OwnTown]:
    """A town under a clock of its own: hub, broker and devices."""
    clock = Clock(tmp_path)
    town = OwnTown(tmp_path / "town", clock=clock)
    with town.broker, town.hub:
        town.hub.wait_until_it_hears()
        yield town


def _enrolled(town: OwnTown) -> NewDevice:
    device = NewDevice(town)
    done = device.enrol("--invitation", town.invite(device.name).text)
    assert done.returncode == 0, done.stderr
    return device


def _go_to(town: OwnTown, days: float) -> None:
    """So many days later: hub and broker begin anew there (their connections would not outlive it)."""
    assert town.clock is not None
    town.hub.stop()
    town.broker.stop()
    town.clock.set(days)
    # First the hub, which makes the list anew that the broker reads.
    town.hub.start()
    town.start_broker()
    town.hub.wait_until_it_hears()


def _is_heard(town: OwnTown, device: NewDevice) -> bool:
    return bool(town.ledger.rows("SELECT 1 FROM device WHERE name = ? AND online = 1", device.name))


def test_it_renews_at_60_days_at_89_days_and_after_30_days_offline(town: OwnTown) -> None:
    device = _enrolled(town)
    # Not too early.
    _go_to(town, 56)
    with device:
        assert soon(lambda: _is_heard(town, device)), device.log.read_text()
        told = "SELECT 1 FROM latest l JOIN device d ON d.id = l.device_id WHERE d.name = ? AND l.kind = 'inventory'"
        assert soon(lambda: town.ledger.rows(told, device.name))
    assert town.how(device.name) == ["code"]
    for days, how in ((60.1, "renewal"), (60.1 + 89, "renewal"), (60.1 + 89 + 120, "late")):
        _goes_on(town, device, days, how)
    assert town.how(device.name) == ["code", "renewal", "renewal", "late"]
    with device:
        # The hub hears that it has it, and sends it no more.
        assert soon(lambda: not town.ledger.rows("SELECT 1 FROM outbox WHERE what = 'certificate'"))
    # Each with a key of its own, and nothing is left over.
    assert len(set(town.serials(device.name))) == 4
    assert not (device.identity / "pending.pem").exists()


def _goes_on(town: OwnTown, device: NewDevice, days: float, how: str) -> None:
    """Is off until then, and has a new certificate soon after it was started, with which it is heard."""
    before, key = device.serial, (device.identity / "key.pem").read_bytes()
    _go_to(town, days)
    with device:
        assert soon(lambda: device.serial != before), device.log.read_text() + town.hub.log.read_text()
        assert soon(lambda: _is_heard(town, device)), device.log.read_text()
    assert town.serials(device.name)[-1] == device.serial
    assert town.how(device.name)[-1] == how
    assert (device.identity / "key.pem").read_bytes() != key


def test_a8_beyond_the_grace_it_needs_a_code(town: OwnTown) -> None:
    device = _enrolled(town)
    first = device.serial
    _go_to(town, 151)
    with device:
        assert soon(lambda: "ended too long ago; a code is needed" in device.log.read_text())
        assert device.serial == first
        # What it took meanwhile is on its disk; with a code it is heard again.
        device.leave(town.invite(device.name))
        assert soon(lambda: _is_heard(town, device)), device.log.read_text()
    assert town.how(device.name) == ["code", "code"]


def test_what_was_asked_before_the_hub_ended_is_answered_once_by_the_next(tmp_path: Path) -> None:
    """Killed between taking a question in and answering it, over and over: one answer, one certificate."""
    town = OwnTown(tmp_path / "town")
    with town.hub:
        assert town.ask(ask_of("tablet-1", town.invite("tablet-1").code)).status_code == 200
        town.hub.stop(signal.SIGKILL)
        database = Db(town.hub.database)
        told = Told(1, "tablet-1", 1, 1, 1, Renewal(request_of("tablet-1")[1]))
        for _ in range(3):
            # The same question taken in again, as when its batch is repeated after a restore.
            database.write_now(lambda conn: store.take_renewals(conn, [told]))
            town.hub.start()
            assert soon(lambda: not town.ledger.rows("SELECT 1 FROM renewal"))
            town.hub.stop(signal.SIGKILL)
        database.close()
        assert town.how("tablet-1") == ["code", "renewal"]
        assert len(town.ledger.rows("SELECT 1 FROM outbox WHERE what = 'certificate'")) == 1
        town.hub.process = None
