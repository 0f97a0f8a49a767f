"""The texts for hostapd and dnsmasq: whatever policy says, no line is smuggled in; hostapd and dnsmasq read them."""

import shutil
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.effective import Effective
from edge_agent.wifi import advert, dnsmasq_conf, hostapd_conf
from edge_agent.wifi.advert import Advert
from edge_agent.wifi.dnsmasq_conf import BadServices
from edge_agent.wifi.hostapd_conf import BadNetwork, Radius
from edge_agent.wifi.self_check import certificate_fault, judged
from edge_agent.wifi.wanted import UNRESTRICTED, OnAir, Wanted, wanted
from tests.certificates import pki
from tests.wifi.netns import PATH
from tests.wifi.services.parts import HOST, URI, wifi
from wire import x509 as wire_x509

AIR = wifi(Path("/run/machinaka"), driver="nl80211", radio="wlan0", radius_server="192.0.2.1:1812")
RADIUS = Radius(AIR.radius_server, "town-secret-0001", "loopback-secret-01", "access-point-1")
anything = st.text(max_size=80)
names = st.one_of(anything, st.sampled_from(["町役場", "a\nwpa=0", "x\r\ny", "#", 'a"b', "\x00", " "]))


def keys(text: str) -> list[str]:
    """What stands before the = of each line."""
    return [line.split("=")[0] for line in text.splitlines() if not line.startswith("#")]


@given(names, st.sampled_from(["open", "owe", "wpa2", "wpa3"]), names, names, names)
def test_no_text_of_a_network_becomes_a_line(name: str, security: str, phrase: str, secret: str, nas: str) -> None:
    networks = [OnAir(name, "guests", security, phrase), OnAir(name, "staff")]  # type: ignore[arg-type]
    plain = [OnAir("x", "guests", security, "12345678"), OnAir("x", "staff")]  # type: ignore[arg-type]
    radius = Radius(AIR.radius_server, secret, secret, nas)
    expected = {name: keys(text) for name, text in hostapd_conf.files(plain, AIR, RADIUS).items()}
    try:
        made = hostapd_conf.files(networks, AIR, radius)
    except BadNetwork:
        return
    assert {name: keys(text) for name, text in made.items()} == expected


@given(st.lists(names, max_size=3), names, names)
def test_no_text_for_dnsmasq_becomes_a_line_or_a_field(garden: list[str], uri: str, host: str) -> None:
    told = wifi(Path("/run/machinaka"))
    try:
        made = dnsmasq_conf.text(Wanted((), uri, host, tuple(garden)), told)
    except BadServices:
        return
    plain = dnsmasq_conf.text(Wanted((), uri and URI, host and HOST, ("a.example",) * len(garden)), told)
    assert keys(made) == keys(plain)
    assert [line.count(",") for line in made.splitlines()] == [line.count(",") for line in plain.splitlines()]


@pytest.mark.parametrize("uri", ["https://x/,y", 'https://x/"', "https://x/#y z", "x" * 300, "https://x/" + "y" * 300])
def test_a_uri_that_cannot_be_told_is_refused(uri: str) -> None:
    with pytest.raises(BadServices):
        dnsmasq_conf.text(Wanted(uri=uri), wifi(Path("/run/machinaka")))


@pytest.mark.skipif(shutil.which("dnsmasq", path=PATH) is None, reason="dnsmasq is not installed")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.from_regex(r"https://[a-z0-9]{1,20}\.example/[A-Za-z0-9._~:/?@!$&()*+;=%-]{0,100}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,20}\.[a-z]{2,10}", fullmatch=True),
    st.integers(8, 28),
)
def test_dnsmasq_takes_every_text(tmp_path: Path, uri: str, host: str, length: int) -> None:
    told = wifi(tmp_path, ipv4=f"10.77.0.1/{length}")
    path = tmp_path / "d.conf"
    path.write_text(dnsmasq_conf.text(Wanted((), uri, host, (host,)), told))
    done = subprocess.run(["dnsmasq", "--test", f"--conf-file={path}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


KINDS = {
    "open": OnAir("町 open"),
    "owe": OnAir("町 owe", security="owe"),
    "wpa2": OnAir("町 wpa2", security="wpa2", passphrase="a pass |mac=x #"),
    "wpa3": OnAir("町 wpa3", security="wpa3", passphrase="~ !'\"\\$pass "),
    "staff": OnAir("職員", "staff"),
}


@pytest.mark.skipif(shutil.which("hostapd", path=PATH) is None, reason="hostapd is not installed")
@pytest.mark.parametrize("kind", KINDS)
def test_hostapd_reads_every_kind_of_network(tmp_path: Path, kind: str) -> None:
    """It parses and checks a file before it asks for the radio."""
    for name, text in hostapd_conf.files([KINDS[kind]], AIR, RADIUS).items():
        path = tmp_path / f"{name}.conf"
        path.write_text(text.replace("driver=nl80211", "driver=none").replace("/run/hostapd", str(tmp_path)))
        said = hostapd_says(path)
        assert "Line " not in said, said
        assert "errors found" not in said, said
        path.write_text(path.read_text() + "no_such_thing=1\n")
        assert "errors found" in hostapd_says(path), "the check can fail"


def hostapd_says(path: Path) -> str:
    """What it says of a file in the time in which it reads one."""
    log = path.with_suffix(".log")
    with log.open("w") as out:
        running = subprocess.Popen(["hostapd", str(path)], stdout=out, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end and running.poll() is None and "state UNINIT" not in log.read_text():
            time.sleep(0.05)
    finally:
        running.kill()
        running.wait(10)
    return log.read_text()


def test_wpa3_takes_nothing_less_and_owe_is_a_pair() -> None:
    (three,) = hostapd_conf.files([KINDS["wpa3"]], AIR, None).values()
    assert "wpa_key_mgmt=SAE\n" in three
    assert "ieee80211w=2\n" in three
    (both,) = hostapd_conf.files([KINDS["wpa2"]], AIR, None).values()
    assert "WPA-PSK" in both
    assert "ieee80211w=1\n" in both
    pair = hostapd_conf.files([KINDS["owe"]], AIR, None)
    assert list(pair) == ["wlan0", "wlan0_owe"]
    assert "wpa_key_mgmt" not in pair["wlan0"]
    assert "ignore_broadcast_ssid=1" in pair["wlan0_owe"]
    for text in (three, both, *pair.values()):
        assert "ap_isolate=1\n" in text
        assert "mobility_domain" not in text


def test_a_name_over_32_bytes_is_refused_and_not_cut() -> None:
    with pytest.raises(BadNetwork, match="33 bytes"):
        hostapd_conf.files([OnAir("町" * 11)], AIR, None)
    (text,) = hostapd_conf.files([OnAir("町" * 10)], AIR, None).values()
    assert hostapd_conf.ssid_of(text) == "\\xe7\\x94\\xba" * 10


POLICY = Effective(network_name="town", staff_network_name="staff")


@pytest.mark.parametrize(
    ("mode", "roles", "uri"),
    [
        ("normal", ["guests", "staff"], URI),
        ("drill", ["guests", "staff"], URI),
        ("disaster", ["guests", "disaster", "staff"], UNRESTRICTED),
        ("closed", ["staff"], URI),
        ("off", ["staff"], URI),
    ],
)
def test_what_is_on_the_air_in_each_mode(mode: str, roles: list[str], uri: str) -> None:
    found = wanted(POLICY, mode, "00000JAPAN", portal_host=HOST, api_uri=URI)  # type: ignore[arg-type]
    assert [network.role for network in found.networks] == roles
    assert found.uri == uri
    assert all(network.security == "open" for network in found.networks if network.role == "disaster")


@given(st.from_regex(r"https://[a-z]{1,240}", fullmatch=True), st.integers(0, 9000))
def test_an_advertisement_is_whole_and_tells_the_uri(uri: str, lifetime_s: int) -> None:
    message = advert.build(Advert("fd6d:6368:6e6b::1/64", uri, lifetime_s, b"\2\0\0\0\0\1"))
    assert advert.told_uri(message) == uri
    assert len(message) % 8 == 0
    assert [kind for kind, _ in advert.options(message)] == [1, 3, 25, 37]
    assert int.from_bytes(message[6:8]) == lifetime_s
    assert message[5] == 0x40, "further options by DHCPv6, addresses of one's own"


def test_an_advertisement_byte_for_byte() -> None:
    message = advert.build(Advert("fd00::1/64", "https://a.b", 1800))
    assert message.hex() == (
        "86000000404007080000000000000000"
        "030440c000001c2000000e1000000000fd000000000000000000000000000000"
        "1903000000000258fd000000000000000000000000000001"
        "250268747470733a2f2f612e62000000"
    )  # fmt: skip


def test_a_certificate_is_looked_at_as_a_browser_would() -> None:
    made = wire_x509.issue_server(pki().servers, wire_x509.make_key().public_key(), (HOST,), datetime.now(UTC))
    shown, now = made.public_bytes(Encoding.DER), datetime.now(UTC)
    assert certificate_fault(shown, HOST, now) == ""
    assert "is for" in certificate_fault(shown, "other.example", now)
    assert "valid until" in certificate_fault(shown, HOST, now + timedelta(days=4000))
    assert certificate_fault(b"junk", HOST, now)


VIEW = {"114": URI, "103": URI, "37": URI, "dns": "10.77.0.1", "443": "refused", "443v6": "refused"}


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        ({}, []),
        ({"37": ""}, ["option_37"]),
        ({"103": "https://elsewhere/"}, ["option_103"]),
        ({"443": "open"}, ["captive_443"]),
        ({"443v6": "nothing"}, ["captive_443"]),
        ({"443": "no way"}, []),
        ({"dns": "192.0.2.1"}, ["dns"]),
        ({"office": {"10.0.0.1": "open"}}, ["office"]),
        ({"office": {"10.0.0.1": "refused"}}, []),
    ],
)
def test_what_a_guest_saw_is_judged(seen: dict[str, object], wrong: list[str]) -> None:
    found = judged({"office": {}} | VIEW | seen, URI, "10.77.0.1", captive=True)
    assert [name for name, why in found if why] == wrong


@given(st.binary(max_size=120), st.integers(0, 255))
def test_bytes_of_anybody_are_a_solicitation_or_none(data: bytes, hop_limit: int) -> None:
    assert not advert.is_solicitation(data, hop_limit) or (hop_limit == 255 and data[0] == advert.SOLICITATION)
    if advert.is_solicitation(data, hop_limit):
        assert len(data) % 8 == 0
