"""What ModemManager and NetworkManager tell, over a real dbus-daemon; and a machine where neither is."""

import logging
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from edge_agent.tablet.bus import Bus, Heard
from tests.tablet.agent.bus_fakes import ICCID, MM, MM_PATH, NM, Modems, Networks, PrivateBus, Service
from wire.tablet import Modem

pytestmark = pytest.mark.skipif(which("dbus-daemon") is None, reason="there is no dbus-daemon (Debian: dbus)")


@pytest.fixture
def private(tmp_path: Path) -> Iterator[PrivateBus]:
    """A bus of this test's own."""
    with PrivateBus(tmp_path) as one:
        yield one


@pytest.fixture
def bus(private: PrivateBus) -> Iterator[Bus]:
    """As the agent looks at it."""
    one = Bus(private.address)
    yield one
    one.close()


def test_the_modem_its_card_and_the_way_out(private: PrivateBus, bus: Bus) -> None:
    modems, networks = Modems(), Networks("gsm")
    services = [Service(private.address, MM, modems.answer), Service(private.address, NM, networks.answer)]
    expected = Modem("wwan0", ICCID, "connected", "Docomo", "4G", signal_percent=72)
    assert bus.look() == Heard((expected,), "mobile")
    # Over PPP the bytes go through another interface than the port's; a visitor's network is roaming.
    modems.modem["Bearers"] = ("ao", [f"{MM_PATH}/Bearer/1"])
    modems.bearers = {f"{MM_PATH}/Bearer/1": {"Connected": ("b", True), "Interface": ("s", "ppp0")}}
    modems.network["RegistrationState"] = ("u", 5)
    networks.kind = "802-11-wireless"
    (modem,), way = bus.look()
    assert (modem.interface, modem.roaming, way) == ("ppp0", True, "wifi")
    # No card in it, no bearer any more, nothing heard yet.
    modems.modem |= {
        "Sim": ("o", "/"),
        "State": ("i", -1),
        "AccessTechnologies": ("u", 0),
        "SignalQuality": ("(ub)", (0, False)),
    }
    modems.bearers = {}
    networks.kind = ""
    (modem,), way = bus.look()
    assert (modem.interface, modem.sim, modem.state, modem.technology, way) == ("wwan0", "", "failed", "", "none")
    modems.there = False
    assert bus.look().modems == ()
    for service in services:
        service.stop()


def test_where_nobody_is_on_the_bus_nothing_is_known_and_nothing_is_wrong(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    assert bus.look() == Heard()
    assert caplog.text == ""


def test_a_bus_that_goes_and_comes_is_told_once_each(
    private: PrivateBus, bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service = Service(private.address, NM, Networks("802-3-ethernet").answer)
    assert bus.look().online_by == "wired"
    service.stop()
    private.stop()
    assert bus.look() == bus.look() == Heard()
    assert caplog.text.count("the way out: D-Bus tells nothing") == 1
    private.start()
    service = Service(private.address, NM, Networks("802-3-ethernet").answer)
    assert bus.look().online_by == "wired"
    assert bus.look().online_by == "wired"
    assert caplog.text.count("the way out: D-Bus tells it again") == 1
    service.stop()


def test_a_service_that_answers_otherwise_than_it_should_is_no_end(private: PrivateBus, bus: Bus) -> None:
    service = Service(private.address, MM, lambda _: ("s", ("what?",)))
    assert bus.look() == Heard()
    service.stop()


def test_a_machine_without_a_bus(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bus = Bus(f"unix:path={tmp_path / 'nothing'}")
    assert bus.look() == bus.look() == Heard()
    assert caplog.text.count("no bus") == 2
    assert Bus("tcp:host=127.0.0.1").look() == Heard()
    assert Bus("nonsense").look() == Heard()


def test_a_bus_that_does_not_greet_is_cut_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = str(tmp_path / "mute")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()

        def mute() -> None:
            connection, _ = listening.accept()
            with connection:
                # Lets anybody in, and says nothing more.
                connection.recv(4096)
                connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                while connection.recv(4096):
                    pass

        threads = [threading.Thread(target=mute) for _ in range(2)]
        for thread in threads:
            thread.start()
        bus = Bus(f"unix:path={path}", answer_s=0.5)
        assert bus.look() == Heard()
        for thread in threads:
            thread.join(60)
    assert caplog.text.count("no bus") == 2
