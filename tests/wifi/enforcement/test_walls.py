"""Of acceptance scenario 8: no guest reaches another, the office, or what else this device has."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec.structs import replace

from edge_agent.wifi.firewall import Firewall
from edge_agent.wifi.neighbour import address_of
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import (
    AP4,
    AP6,
    BRIDGE,
    CLIENTS,
    OFFICE4,
    OFFICE6,
    SITE,
    WAN4,
    WAN6,
    Town,
    client4,
    client6,
    mac,
    needs_netns,
)

pytestmark = needs_netns
# Of the office, and reached by the uplink: as where the access point hangs on the office's own router.
_BEHIND4, _BEHIND6 = "192.168.7.7", "fd77::7"
_ROUTERS = ((client4, AP4), (client6, AP6))
_LISTEN = """
import socket, sys
kind = socket.SOCK_DGRAM if sys.argv[1] == "udp" else socket.SOCK_STREAM
with socket.socket(socket.AF_INET6, kind) as s:
    s.bind((sys.argv[3], int(sys.argv[2])))
    if kind == socket.SOCK_STREAM:
        s.listen()
    print("ready", flush=True)
    while True:
        if kind == socket.SOCK_STREAM:
            asker, _ = s.accept()
            asker.recv(2000)
            asker.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
            asker.close()
        else:
            s.sendto(*s.recvfrom(2000))
"""
_ASK = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
s.settimeout(2)
s.sendto(bytes(int(sys.argv[3])), (sys.argv[1], int(sys.argv[2])))
s.recv(2000)
"""


async def test_admitted_guests_reach_the_internet_and_neither_one_another_nor_the_office(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        for port in CLIENTS:
            town.must("ap", "bridge", "link", "set", "dev", f"p{port}", "isolated", "off")
        for address in (f"{_BEHIND4}/32", f"{_BEHIND6}/128"):
            town.must("wan", "ip", "addr", "add", address, "dev", "lo")
        await firewall.apply(PLAN)
        for number, client in enumerate(CLIENTS, start=1):
            await firewall.admit(mac(client), number, 600)
        await asyncio.to_thread(_walls_stand, town)
        for client in CLIENTS:
            assert town.status(client, f"http://{WAN4}/") == "200"
            assert town.status(client, f"http://[{WAN6}]/") == "200"
        await firewall.apply(replace(PLAN, mode="open"))
        await asyncio.to_thread(_walls_stand, town)


async def test_modes_open_closed_and_back_keep_a_session(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 1, 600)
        await firewall.apply(replace(PLAN, mode="open"))
        for client in CLIENTS:
            assert town.status(client, f"https://{SITE}/") == "200"
            assert town.status(client, f"http://[{WAN6}]/") == "200"
        await firewall.apply(replace(PLAN, mode="closed"))
        for client in CLIENTS:
            assert town.status(client, f"https://{SITE}/") == "curl 7"
            assert town.status(client, f"https://[{WAN6}]/") == "curl 7"
        await firewall.apply(PLAN)
        assert town.status("c1", f"https://{SITE}/") == "200"
        assert town.status("c2", f"https://{SITE}/") == "curl 7"


async def test_a_device_is_admitted_and_not_an_address(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 1, 600)
        assert town.status("c1", f"https://{SITE}/") == "200"
        town.must("c1", "ip", "addr", "add", "192.0.2.5/32", "dev", "eth0")
        assert town.status("c1", f"http://{WAN4}/", "--interface", "192.0.2.5", "-m", "2").startswith("curl")
        assert town.status("c1", f"http://{WAN4}/") == "200"
        town.must("c2", "ip", "addr", "flush", "dev", "eth0")
        town.must("c2", "ip", "addr", "add", f"{client4('c1')}/22", "dev", "eth0")
        town.must("c2", "ip", "route", "add", "default", "via", AP4)
        assert town.status("c2", f"https://{WAN4}/", "-k") == "curl 7", "another's address is nothing"


async def test_of_this_device_a_guest_reaches_what_guests_need(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c2"), 2, 600)
        for kind, port in (("tcp", 22), ("tcp", 443), ("udp", 123)):
            _ready(town, "ap", kind, port)
        for client in CLIENTS:
            assert town.status(client, f"http://{AP4}:22/") == "curl 7"
            assert town.status(client, f"http://[{AP6}]:22/") == "curl 7"
            assert town.status(client, "http://198.51.100.2:22/") == "curl 7"
            assert town.status(client, f"http://{AP4}:443/") == "200"
            assert town.status(client, f"http://[{AP6}]:443/") == "200"
            assert _answered(town, client, AP4, 123, 48)


async def test_before_a_login_the_time_is_told_and_names_only_by_this_device(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        for address, at in ((WAN4, f"::ffff:{WAN4}"), (WAN6, WAN6)):
            _ready(town, "wan", "udp", 123, at)
            assert _answered(town, "c1", address, 123, 48)
            assert not _answered(town, "c1", address, 123, 400), "what is larger than a question of the time"
            assert not _answered(town, "c1", address, 443, 48), "QUIC"
        asked = ("busybox", "nslookup", SITE, "198.51.100.1")
        assert town.run("c1", *asked).returncode != 0, "sent to this device, where nobody answers in this test"
        await firewall.admit(mac("c1"), 1, 600)
        assert town.run("c1", *asked).returncode == 0


async def test_who_has_just_spoken_is_known_by_address(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        assert town.pings("c1", AP4)
        assert town.pings("c1", AP6)
        for ip in (client4("c1"), client6("c1"), f"::ffff:{client4('c1')}"):
            assert await address_of(ip, BRIDGE) == mac("c1")
        assert await address_of("10.77.0.99", BRIDGE) is None
        assert await address_of(client4("c1"), "none0") is None


def _walls_stand(town: Town) -> None:
    one, other = CLIENTS
    near = [(one, client4(other)), (one, client6(other))]
    assert not _any_answer(town, near), "frames do not pass the bridge"
    routes = [(a, of(b), router) for a, b in ((one, other), (other, one)) for of, router in _ROUTERS]
    for client, address, router in routes:
        town.must(client, "ip", "route", "replace", address, "via", router)
    assert not _any_answer(town, near), "nor packets the router"
    for client, address, _ in routes:
        town.must(client, "ip", "route", "delete", address)
    assert _any_answer(town, [("ap", _BEHIND4)])
    assert _any_answer(town, [("ap", _BEHIND6)])
    far = [(client, office) for client in CLIENTS for office in (OFFICE4, OFFICE6, _BEHIND4, _BEHIND6)]
    assert not _any_answer(town, far)
    assert not _any_answer(town, [("office", of(client)) for client in CLIENTS for of in (client4, client6)])
    for client in CLIENTS:
        assert town.status(client, f"http://{OFFICE4}/") == "curl 7"
        assert town.status(client, f"http://[{OFFICE6}]/") == "curl 7"


def _any_answer(town: Town, ways: Sequence[tuple[str, str]]) -> bool:
    with ThreadPoolExecutor() as pool:
        return any(pool.map(lambda way: town.pings(*way), ways))


def _ready(town: Town, role: str, kind: str, port: int, at: str = "::") -> None:
    process = town.popen(role, "python3", "-c", _LISTEN, kind, str(port), at)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"


def _answered(town: Town, client: str, address: str, port: int, length: int) -> bool:
    return town.run(client, "python3", "-c", _ASK, address, str(port), str(length)).returncode == 0
