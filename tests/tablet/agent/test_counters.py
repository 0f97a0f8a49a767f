"""Which interface is billed, how wide its counter is, and which card is in it."""

from pathlib import Path

import pytest

from edge_agent.fleet.usage import Counters, Facts
from edge_agent.tablet.battery import Battery, read
from edge_agent.tablet.counters import bits_of, usage_of
from edge_agent.tablet.route import default_interface
from wire.messages import Interface
from wire.tablet import Modem

MODEM = Counters("wwan0", 700, 70, Facts(type=65534, devtype="wwan", driver="qmi_wwan", physical=True))
STICK = Counters("eth1", 500, 50, Facts(type=1, driver="cdc_ether", physical=True))
WIFI = Counters("wlan0", 300, 30, Facts(type=1, devtype="wlan", wireless=True, driver="brcmfmac", physical=True))
TUNNEL = Counters("wg0", 900, 90, Facts(type=65534, devtype="wireguard"))
LOOPBACK = Counters("lo", 1, 1, Facts(type=772))


def test_the_card_the_wifi_and_the_tunnel_are_told_apart() -> None:
    usage = usage_of([TUNNEL, WIFI, MODEM, LOOPBACK], [Modem("wwan0", "8981100000000000001")], "midnight")
    assert usage.occasion == "midnight"
    assert usage.interfaces == (
        Interface("wwan0", 700, 70, "mobile", "8981100000000000001"),
        Interface("wlan0", 300, 30, "wifi"),
        Interface("wg0", 900, 90, "tunnel"),
    )


def test_a_stick_that_passes_for_a_cable_is_mobile_where_a_modem_is_behind_it() -> None:
    plain = Counters("eth1", 500, 50, Facts(type=1, driver="made_up", physical=True))
    (found,) = usage_of([plain], [Modem("eth1", "8981")], "round").interfaces
    assert (found.link, found.sim) == ("mobile", "8981")
    (found,) = usage_of([plain], [], "round").interfaces
    assert (found.link, found.sim) == ("wired", "")


@pytest.mark.parametrize(
    ("machine", "counters", "bits"),
    [
        ("aarch64", WIFI, 64),
        ("x86_64", WIFI, 64),
        ("armv7l", WIFI, 32),
        ("armv6l", WIFI, 32),
        ("armv7l", MODEM, 64),
        ("armv7l", STICK, 64),
        ("armv7l", Counters("ppp0", 1, 1, Facts(type=512)), 64),
    ],
)
def test_a_counter_is_declared_narrow_only_where_it_is(machine: str, counters: Counters, bits: int) -> None:
    assert bits_of(counters, machine) == bits
    assert usage_of([counters], [], "round", machine=machine).interfaces[0].bits == bits


def test_of_too_many_interfaces_those_that_are_billed_stay() -> None:
    many = [Counters(f"veth{number}", 1, 1, Facts(type=1)) for number in range(80)]
    usage = usage_of([*many, WIFI, MODEM], [], "round")
    assert len(usage.interfaces) == 64
    assert [one.name for one in usage.interfaces[:2]] == ["wwan0", "wlan0"]


_HEAD = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"


def test_the_way_out_is_the_cheapest_default_route(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    assert default_interface(tmp_path) == ""
    (tmp_path / "net/route").write_text(
        _HEAD
        + "wwan0\t00000000\t0100A8C0\t0003\t0\t0\t700\t00000000\t0\t0\t0\n"
        + "wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n"
        + "blind0\t00000000\t00000000\t0201\t0\t0\t1\t00000000\t0\t0\t0\n"
        + "wlan0\t0001A8C0\t00000000\t0001\t0\t0\t600\t00FFFFFF\t0\t0\t0\n"
    )
    assert default_interface(tmp_path) == "wlan0"


def test_the_way_out_may_be_of_the_newer_protocol_alone(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/route").write_text(_HEAD)
    nothing, router = "0" * 32, "fe80" + "0" * 27 + "1"
    (tmp_path / "net/ipv6_route").write_text(
        f"{nothing} 00 {nothing} 00 {router} 00000400 00000001 00000000 00000003    wwan0\n"
        f"{nothing} 00 {nothing} 00 {nothing} ffffffff 00000001 00000000 00200200       lo\n"
    )
    assert default_interface(tmp_path) == "wwan0"


def test_the_battery_is_the_machines_own(tmp_path: Path) -> None:
    supply = tmp_path / "class/power_supply"
    assert read(tmp_path) == Battery()
    for name, facts in {
        "AC": {"type": "Mains", "online": "1"},
        "a-pen": {"type": "Battery", "scope": "Device", "capacity": "3"},
        "bat": {"type": "Battery", "scope": "System", "capacity": "62", "status": "Discharging"},
    }.items():
        (supply / name).mkdir(parents=True)
        for fact, value in facts.items():
            (supply / name / fact).write_text(value + "\n")
    assert read(tmp_path) == Battery(62, charging=False)
    (supply / "bat/status").write_text("Not charging\n")
    assert read(tmp_path) == Battery(62, charging=True)
    (supply / "bat/status").write_text("Unknown\n")
    (supply / "bat/capacity").write_text("\n")
    assert read(tmp_path) == Battery()
