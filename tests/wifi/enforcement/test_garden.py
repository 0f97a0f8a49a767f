"""Of acceptance scenario 8: the garden opens its own names, and not another site that stands at the same address."""

import sys
from pathlib import Path

from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import INTRANET, NEIGHBOUR_SITE, OFFICE4, SITE, WAN4, Town, needs_netns, wait_for

pytestmark = needs_netns
_ROOT = Path(__file__).resolve().parents[3]


def test_a_garden_does_not_leak_to_a_site_at_the_same_address(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        _open_garden(town, SITE)
        for family in ("-4", "-6"):
            assert town.curl("c1", family, f"https://{SITE}/").stdout.startswith(f"site {SITE} to ")
            assert town.curl("c1", family, f"http://{SITE}/").stdout.startswith(f"site {SITE} to ")
            assert town.status("c1", f"https://{SITE}/bytes/3000000", family) == "200"
            assert town.status("c1", f"https://{NEIGHBOUR_SITE}/", family) == "curl 35", "reset, as any other"
            assert town.status("c1", f"http://{NEIGHBOUR_SITE}/", family) == "302"
        assert town.status("c1", f"https://{WAN4}/", "-k") == "curl 35", "without a name"
        assert town.status("c1", "https://198.51.100.11/", "-k") == "curl 7", "an address that is none of the garden"
        told = town.curl("c1", "-D", "-", f"http://{NEIGHBOUR_SITE}/").stdout
        assert "Location: https://portal.town.example/" in told
        assert "no-store" in told


def test_one_connection_carries_one_request_to_the_garden(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        _open_garden(town, SITE)
        second = f"GET / HTTP/1.1\r\nHost: {NEIGHBOUR_SITE}\r\n\r\n"
        script = (
            "import socket, sys\n"
            f"s = socket.create_connection(({WAN4!r}, 80), 20)\n"
            f"s.sendall(b'GET / HTTP/1.1\\r\\nHost: {SITE}\\r\\n\\r\\n' + {second.encode()!r})\n"
            "while more := s.recv(9999): print(more.decode())\n"
        )
        told = town.must("c1", "python3", "-c", script)
        assert f"site {SITE}" in told
        assert NEIGHBOUR_SITE not in told


def test_who_asks_whether_he_is_online_is_sent_to_the_portal_also_from_within_the_garden(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        _open_garden(town, SITE, "apple.com", "gstatic.com")
        for host, path in (
            ("captive.apple.com", "hotspot-detect.html"),
            ("connectivitycheck.gstatic.com", "generate_204"),
        ):
            at = ("--resolve", f"{host}:80:{WAN4}")
            assert town.status("c1", f"http://{host}/{path}", *at) == "302"


def test_a_body_is_passed_on_and_a_name_that_leads_into_the_office_is_not_followed(tmp_path: Path) -> None:
    with Town(tmp_path) as town:
        _open_garden(town, SITE, "localhost", INTRANET)
        body = tmp_path / "body"
        body.write_bytes(bytes(1_000_000))
        assert "took 1000000" in town.curl("c1", "--data-binary", f"@{body}", f"http://{SITE}/").stdout
        town.popen("office", "python3", "-m", "http.server", "80", log=tmp_path / "office.log")
        wait_for(lambda: town.run("ap", "curl", "-sf", f"http://{OFFICE4}/").returncode == 0)
        for name in ("localhost", INTRANET):
            for scheme in ("http", "https"):
                told = town.status("c1", f"{scheme}://{name}/", "--connect-to", f"{name}::{WAN4}:")
                assert told.startswith("curl"), "this device itself, and the office, are no place to be led to"


def _open_garden(town: Town, *names: str) -> None:
    process = town.popen("ap", sys.executable, "-m", "tests.wifi.enforcement.garden_agent", *names, cwd=_ROOT)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    sets = ("nft", "list", "sets", "table", "inet", "machinaka")
    wait_for(lambda: WAN4 in town.must("ap", *sets))
    wait_for(lambda: f":{PLAN.garden_https_port:04X} 00000000:0000 0A" in town.must("ap", "cat", "/proc/net/tcp"))
