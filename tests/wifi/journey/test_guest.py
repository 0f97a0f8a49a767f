"""Scenarios 1, 2, 3 and 8 of the acceptance: from the first probe of a phone to the hub's figures."""

import json
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journey.parts import soon
from tests.wifi.journey.bed import API, PORTAL, Point
from tests.wifi.netns import OFFICE4, OFFICE6, SITE, WAN4, WAN6, mac, needs_netns

pytestmark = needs_netns

# What iOS, Android, Windows, Firefox, Fire OS and NetworkManager ask for.
PROBES = (
    ("captive.apple.com", "/hotspot-detect.html"),
    ("connectivitycheck.gstatic.com", "/generate_204"),
    ("www.msftconnecttest.com", "/connecttest.txt"),
    ("detectportal.firefox.com", "/canonical.html"),
    ("spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html"),
    ("nmcheck.gnome.org", "/check_network_status.txt"),
)
SIX = {"-4": WAN4, "-6": f"[{WAN6}]"}


@pytest.fixture(scope="module")
def point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Point]:
    """An access point that both guests have come to."""
    with Point(tmp_path_factory.mktemp("point")) as made:
        made.leases = {client: made.comes(client) for client in ("c1", "c2")}
        yield made


def probed(point: Point, client: str, family: str, host: str, path: str) -> tuple[str, str, str]:
    """What a phone is answered: status, where it is led, whether the answer may be kept."""
    name = ("--resolve", f"{host}:80:{SIX[family]}")
    shown = ("-o", "/dev/null", "-w", "%{http_code}|%{redirect_url}|%header{cache-control}")
    return tuple(point.asks(client, family, *name, *shown, f"http://{host}{path}").stdout.split("|"))  # type: ignore[return-value]


def test_a_phone_is_told_where_the_portal_is_and_led_there(point: Point) -> None:
    assert bytes.fromhex(point.leases["c1"]["opt114"]).decode() == API
    for family, address in SIX.items():
        for host, path in PROBES:
            assert probed(point, "c1", family, host, path) == ("302", f"https://{PORTAL}/", "no-store"), (family, host)
        # Nobody stands between a guest and a site with TLS: it is refused at once (curl 7 is refused, 35 cut off).
        assert point.net.status("c1", f"https://{SITE}/", family, "--resolve", f"{SITE}:443:{address}") == "curl 7"
    told = point.state("c1")
    assert told["captive"] is True
    assert told["user-portal-url"].startswith(f"https://{PORTAL}/")
    assert not {"seconds-remaining", "bytes-remaining"} & told.keys()
    for accepts in ("application/captive+json, */*;q=0.5", "text/html;q=0.4,application/captive+json;q=0.9"):
        done = point.asks(
            "c1", "-o", "/dev/null", "-w", "%{http_code}|%{content_type}", "-H", f"Accept: {accepts}", API
        )
        assert done.stdout == "200|application/captive+json"
    head = point.asks("c1", "-o", "/dev/null", "-D", "-", "-H", "Accept: text/html", API).stdout.lower()
    assert " 302 " in head
    assert re.search(r"^(vary: accept|cache-control: (private|no-store))", head, re.MULTILINE)


def test_who_agrees_is_through_at_once_and_the_hub_has_it(point: Point) -> None:
    point.agrees("c1", "en")
    assert soon(lambda: point.net.status("c1", f"http://{SITE}/") == "200"), point.words()
    for family in SIX:
        for host, path in PROBES:
            assert probed(point, "c1", family, host, path)[0] == "200", (family, host)
        assert point.state("c1", six=family == "-6")["captive"] is False
    told = point.state("c1")
    assert 0 < told["seconds-remaining"] <= 3600
    assert 0 < told["bytes-remaining"] <= 10**9
    assert told["can-extend-session"] is True
    # The other guest is captive still.
    assert point.state("c2")["captive"] is True
    # And how the access point is: what it goes by, and who is on it.
    state = "SELECT json_extract(body, '$.mode'), json_extract(body, '$.shaping') FROM wifi_state"
    assert soon(lambda: point.ledger.rows(state)), point.words()
    ((mode, shaping),) = point.ledger.rows(state)
    assert (mode, shaping in {"htb", "fq_codel", "cake"}) == ("normal", True)
    consent = "SELECT terms, language, way FROM wifi_consent"
    assert soon(lambda: [row[1:] for row in point.ledger.rows(consent)] == [("en", "click")]), point.words()


def test_usage_is_exact_through_a_kill_and_a_reload(point: Point) -> None:
    def total() -> int:
        return sum(up + down for _, way, _, up, down, _ in point.sessions() if way == "click")

    assert point.net.status("c1", f"http://{SITE}/bytes/5000000", "-4") == "200", (point.sessions(), point.words())
    point.stop(signal.SIGKILL)
    # The kernel goes on without the agent.
    assert point.net.status("c1", f"http://{SITE}/bytes/1000000", "-6") == "200"
    point.start()
    assert soon(lambda: point.is_let_in("c1")), point.words()
    point.say(garden=["garden.example"])
    point.net.run("c1", "sh", "-c", "head -c 2000000 /dev/zero > /tmp/two; true")
    sent = point.asks("c1", "-4", "--data-binary", "@/tmp/two", f"http://{SITE}/")
    assert "took 2000000" in sent.stdout, sent.stderr
    # The hub has to the byte what the guest is shown; heads of packets, answers and what was sent again count as well.
    assert soon(lambda: total() == 10**9 - point.state("c1")["bytes-remaining"]), (total(), point.state("c1"))
    assert 8_000_000 <= total() <= 10_000_000
    assert len({row[0] for row in point.sessions() if row[1] == "click"}) == 1


def test_a_guest_reaches_no_other_guest_and_no_office(point: Point) -> None:
    other = point.leases["c2"]["ip"]
    assert not point.net.pings("c1", other)
    assert not point.net.pings("c1", OFFICE4)
    assert not point.net.pings("c1", OFFICE6)
    assert point.net.pings("c1", WAN4)


def test_three_extensions_and_no_fourth(point: Point) -> None:
    for _ in range(3):
        assert point.presses("c1", "extend", "en")
    assert point.state("c1")["can-extend-session"] is False
    ended = point.state("c1")["seconds-remaining"]
    assert ended > 3600
    point.presses("c1", "extend", "en", form_of="leave")
    assert point.state("c1")["seconds-remaining"] <= ended


def test_a_file_that_somebody_edits_is_put_back_and_told(point: Point) -> None:
    conf = point.run_dir / "dnsmasq.conf"
    as_it_was = conf.read_text()
    conf.write_text(as_it_was + "log-queries\n")
    assert soon(lambda: conf.read_text() == as_it_was), point.words()
    assert soon(lambda: point.ledger.rows("SELECT 1 FROM alarm WHERE name = 'wifi_drift' AND ended_ms IS NOT NULL"))


def test_the_access_point_has_tried_itself_and_tells_what_came_of_it(point: Point) -> None:
    checks = "SELECT json_extract(body, '$.checks') FROM wifi_state WHERE json_extract(body, '$.checks[0]') IS NOT NULL"
    assert soon(lambda: point.ledger.rows(checks), 150), point.words()
    found = {one["name"]: one for one in json.loads(point.ledger.rows(checks)[0][0])}
    # hostapd has no radio here, and this machine asks nobody for the time.
    expected = {
        "isolation",
        "office",
        "portal",
        "option_114",
        "option_103",
        "option_37",
        "captive_443",
        "dns",
        "dnsmasq",
    }
    assert {name for name, one in found.items() if one["ok"]} >= expected, found


def test_no_address_of_a_device_is_anywhere_on_a_disk_or_in_a_log(point: Point) -> None:
    spellings = {spelling for client in ("c1", "c2") for spelling in spelled(mac(client))}
    point.stop()
    folders = (point.state_dir, point.hub.database.parent)
    kept = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    for path in (*kept, point.log, point.hub.log, point.run_dir / "dnsmasq.log"):
        data = path.read_bytes().lower()
        assert not [one for one in spellings if one in data], path
        assert SITE.encode() not in data, path


def spelled(address: str) -> set[bytes]:
    """A device's address in every usual spelling."""
    return {bytes.fromhex(address.replace(":", "")), *(address.replace(":", by).encode() for by in (":", "-", ""))}


def test_the_end_of_the_time_ends_what_is_under_way(tmp_path: Path) -> None:
    with Point(tmp_path, rules={"session_minutes": 1, "extensions": 0}) as short:
        short.comes("c1")
        short.agrees("c1")
        assert soon(lambda: short.net.status("c1", f"http://{SITE}/") == "200"), short.words()
        began = time.monotonic()
        slowly = ("-o", "/dev/null", "--limit-rate", "50k")
        done = short.asks("c1", *slowly, f"http://{SITE}/endless", patience_s=150)
        assert done.returncode != 0
        assert time.monotonic() - began < 145
        assert short.state("c1")["captive"] is True
        assert probed(short, "c1", "-4", *PROBES[0])[0] == "302"
        assert soon(lambda: [row[2] for row in short.sessions()] == ["time"]), short.words()
