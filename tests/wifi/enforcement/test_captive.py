"""Acceptance scenario 1 and the firewall's half of 2: what a captive client meets, what a released one, and the end."""

import asyncio
from pathlib import Path

from edge_agent.wifi.firewall import Firewall, Limits
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import OTHER4, SITE, WAN4, WAN6, Town, mac, needs_netns, wait_for

pytestmark = needs_netns
_PORTAL = """
import http.server, socket
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.end_headers()
class Both(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Both(("::", 80), Page).serve_forever()
"""

_STREAM = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 9000))
print("ready", flush=True)
guest = s.recvfrom(99)[1]
while True:
    s.sendto(bytes(500), guest)
    time.sleep(0.02)
"""
_RECEIVE = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(3)
s.sendto(b"begin", (sys.argv[1], 9000))
s.recv(999)
print("heard", flush=True)
try:
    while s.recv(999):
        pass
except TimeoutError:
    print("silence", flush=True)
"""


async def test_a_captive_client_is_sent_to_the_portal_and_a_released_one_is_not(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        town.popen("ap", "python3", "-c", _PORTAL)
        await asyncio.to_thread(wait_for, lambda: town.run("ap", "curl", "-s", "http://127.0.0.1/").returncode == 0)
        for family in ("-4", "-6"):
            assert await _status(town, f"http://{SITE}/", family) == "302", "port 80 is the access point's own"
            assert await _status(town, f"https://{SITE}/", family) == "curl 7", "refused, not unanswered"
        assert await _status(town, f"http://{OTHER4}:8080/") == "curl 7"

        await firewall.admit(mac("c1"), 0xFFFF_FFFF, 600)
        for family in ("-4", "-6"):
            assert await _status(town, f"http://{SITE}/", family) == "200"
            assert await _status(town, f"https://{SITE}/", family) == "200"
        assert await _status(town, f"https://{SITE}/", client="c2") == "curl 7", "one is let on, not all"

        used = await firewall.remove(0xFFFF_FFFF)
        assert used.down_bytes > 0
        assert used.up_bytes > 0
        assert await firewall.counters() == {}
        assert await firewall.admitted() == {}
        assert await _status(town, f"https://{SITE}/") == "curl 7"


async def test_a_running_download_ends_with_the_session_also_without_an_agent(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        for address in (WAN4, f"[{WAN6}]"):
            await firewall.admit(mac("c1"), 77, 3, Limits(4000, 4000))
            url = f"http://{address}/endless"
            running = town.popen("c1", "curl", "-sS", "-o", "/dev/null", url)
            await asyncio.to_thread(running.wait, 60)
            assert running.returncode == 56, "the client is told that no more comes"
            assert await firewall.admitted() == {}, "the kernel's own end: nobody removed anything"
            assert (await firewall.counters())[77].down_bytes > 100_000, "what was used is still there to be read"
            await firewall.remove(77)


async def test_what_is_sent_to_a_guest_without_being_asked_for_ends_with_the_session_too(tmp_path: Path) -> None:
    """A stream of UDP: nobody acknowledges it, so nothing but the rule stops it."""
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 78, 600)
        sender = town.popen("wan", "python3", "-c", _STREAM, WAN4)
        assert sender.stdout is not None
        assert sender.stdout.readline() == "ready\n"
        receiver = town.popen("c1", "python3", "-c", _RECEIVE, WAN4)
        assert receiver.stdout is not None
        assert receiver.stdout.readline() == "heard\n"
        assert receiver.poll() is None
        await firewall.prolong(78, 1)
        await asyncio.to_thread(receiver.wait, 60)
        assert receiver.stdout.read() == "silence\n"


async def test_an_extension_goes_on_and_a_longer_one_may_be_made_shorter(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 5, 60)
        await firewall.prolong(5, 3600)
        assert 3500 < (await firewall.seconds_left())[5] <= 3600
        again = Firewall()
        await again.prolong(5, 1)
        await asyncio.to_thread(wait_for, lambda: town.status("c1", f"http://{WAN4}/", "-m", "2") != "200")


async def test_a_device_that_comes_again_has_only_its_new_session(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 5, 60, Limits(8000, 4000))
        await firewall.admit(mac("c1").upper(), 6, 60)
        assert await firewall.admitted() == {mac("c1"): 6}
        assert list(await firewall.counters()) == [6]


async def _status(town: Town, url: str, *words: str, client: str = "c1") -> str:
    return await asyncio.to_thread(town.status, client, url, *words)
