"""Who is shut out is out, everybody else comes back with all they had; a broker that would not do is not started."""

import asyncio
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificate
from msgspec import structs

from hub.broker import canary, restart, trial
from hub.broker.canary import Open, Place, Red
from hub.broker.keeper import Keeper
from hub.settings import BrokerSettings, Settings
from tests.broker import Broker
from tests.certificates import Pki
from tests.lock.parts import Client, Refused, Supervised
from wire.x509 import Withdrawn


def _withdraw(town: Pki, device: str) -> None:
    certificate = load_pem_x509_certificate((town.identity(device) / "certificate.pem").read_bytes())
    town.withdrawn.append(Withdrawn(certificate.serial_number, datetime.now(UTC)))


def _nothing() -> None:
    """The files are as they are."""


def _keeper(broker: Supervised) -> Keeper:
    return Keeper(broker.settings(), broker.pki.write_crl)


def test_b7_revoked_while_connected_is_out_and_others_come_back(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        stolen = Client(broker.port, broker.pki.context("stolen"), "stolen")
        other = Client(broker.port, broker.pki.context("other"), "other")
        # A list alone puts nobody out.
        _withdraw(broker.pki, "stolen")
        broker.pki.write_crl()
        assert not stolen.is_out(1)
        began_s = time.monotonic()
        state = asyncio.run(_keeper(broker).apply())
        assert state.fault == ""
        assert stolen.is_out()
        print(f"out after {time.monotonic() - began_s:.2f} s")
        with pytest.raises(Refused):
            Client(broker.port, broker.pki.context("stolen"), "stolen")
        assert other.is_out()
        Client(broker.port, broker.pki.context("other"), "other").close()
        stolen.close()
        other.close()


async def test_many_at_once_take_at_most_two_restarts(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        keeper = _keeper(broker)
        states = await asyncio.gather(*(keeper.apply() for _ in range(20)))
        assert {state.fault for state in states} == {""}
        starts = broker.log.read_text().count("mosquitto version 2.0.11 running")
        assert starts <= 3


@pytest.mark.parametrize(
    ("file", "text"),
    [("mosquitto.acl", "nonsense line\n"), ("mosquitto.acl", None), ("pki/crl.pem", None), ("pki/broker.key", "x")],
)
def test_b5_what_would_not_start_is_not_started_and_the_running_one_stays(
    tmp_path: Path, file: str, text: str | None
) -> None:
    with Supervised(tmp_path) as broker:
        client = Client(broker.port, broker.pki.context("other"), "other")
        path = tmp_path / file
        path.unlink() if text is None else path.write_text(text)
        keeper = Keeper(broker.settings(), _nothing)
        state = asyncio.run(keeper.apply())
        assert state.fault
        assert len(state.fault.splitlines()) == 1
        assert not client.is_out(1)
        client.close()


def test_b6_a_broker_that_would_let_everybody_do_everything_is_found_out(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        acl = tmp_path / "mosquitto.acl"
        acl.write_text(acl.read_text() + "\npattern readwrite #\n")
        with pytest.raises(Open, match="a device may publish"):
            trial.check(broker.config, broker.pki.folder)


def test_b5_a_reload_fails_open_which_is_why_there_is_none(tmp_path: Path) -> None:
    """The reason for the rule: were this to hold no more, a reload would be as good."""
    with Broker(tmp_path) as broker:
        place = Place("127.0.0.1", broker.port, broker.pki.folder)
        canary.check(place)
        (tmp_path / "mosquitto.acl").unlink()
        assert broker.process is not None
        broker.process.send_signal(signal.SIGHUP)
        time.sleep(1)
        with pytest.raises(Red):
            canary.check(place)


def test_b6_one_that_turned_out_open_is_stopped(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        # No trial, as if somebody had changed the file between the trial and the start.
        settings = structs.replace(broker.settings(), broker=structs.replace(broker.settings().broker, config=""))
        keeper = Keeper(settings, _nothing)
        acl = tmp_path / "mosquitto.acl"
        acl.write_text(acl.read_text() + "\npattern readwrite #\n")
        state = asyncio.run(keeper.apply())
        assert state.fault.startswith("stopped, because a device may publish")
        with pytest.raises((Refused, OSError)):
            Client(broker.port, broker.pki.context("other"), "other")


def test_without_a_way_to_restart_it_says_so(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker:
        settings = Settings(
            state_dir=str(tmp_path), broker=BrokerSettings(port=broker.port, ca_dir=str(broker.pki.folder))
        )
        state = asyncio.run(Keeper(settings, _nothing).apply())
        assert state.fault == "nothing in the hub's settings says how the broker is restarted"


def test_b8_a_list_that_has_ended_shuts_everybody_out_and_a_new_one_lets_them_in(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        broker.pki.write_crl(valid_for_days=0)
        time.sleep(2.5)
        state = asyncio.run(Keeper(broker.settings(), _nothing).apply())
        assert state.fault
        # The trial found it before anybody was shut out.
        Client(broker.port, broker.pki.context("other"), "other").close()
        assert asyncio.run(_keeper(broker).apply()).fault == ""
        Client(broker.port, broker.pki.context("other"), "other").close()


async def test_b6_the_running_broker_is_looked_at_and_stopped_when_it_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.broker.keeper._FIRST_LOOK_S", 0.1)
    with Supervised(tmp_path) as broker:
        keeper = _keeper(broker)
        looking = asyncio.create_task(keeper.run())
        while not keeper.state.since_ms:  # noqa: ASYNC110 (the clock is the event)
            await asyncio.sleep(0.05)
        looking.cancel()
        assert keeper.state.fault == ""
        acl = tmp_path / "mosquitto.acl"
        acl.write_text(acl.read_text() + "\npattern readwrite #\n")
        await asyncio.to_thread(restart.restart, broker.settings().broker)
        looking = asyncio.create_task(keeper.run())
        while not keeper.state.fault:  # noqa: ASYNC110 (the clock is the event)
            await asyncio.sleep(0.05)
        looking.cancel()
        assert keeper.state.fault.startswith("stopped, because a device may publish")


async def test_what_is_wanted_from_a_thread_is_done(tmp_path: Path) -> None:
    with Supervised(tmp_path) as broker:
        keeper = _keeper(broker)
        running = asyncio.create_task(keeper.run())
        await asyncio.sleep(0)
        await asyncio.to_thread(keeper.want)
        while not keeper.state.started_ms:  # noqa: ASYNC110 (the clock is the event)
            await asyncio.sleep(0.05)
        running.cancel()
