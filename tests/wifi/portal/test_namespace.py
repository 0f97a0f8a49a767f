"""The portal on a real bridge: guests are known by the kernel's neighbours, and nobody else comes in."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_agent.settings import WifiSettings
from edge_agent.wifi.portal import run
from tests.clock.hand_time import HandTime
from tests.wifi import netns
from tests.wifi.netns import AP4, AP6, BRIDGE, Town, client6, mac, wait_for
from tests.wifi.portal.parts import PORTAL, kit
from tests.wifi.sessions import parts as sessions
from tests.wifi.sessions.parts import AccessPoint, Kernel

pytestmark = pytest.mark.skipif(bool(netns.missing()), reason=netns.missing() or "network namespaces")


def _words(address: str, path: str, *more: str) -> Sequence[str]:
    """A request to the portal under its name, by an address."""
    where = f"[{address}]" if ":" in address else address
    return ("--connect-to", f"{PORTAL}:443:{where}:443", *more, f"https://{PORTAL}{path}")


STATE = _words(AP4, "/capport/api", "-H", "Accept: application/captive+json")


def _make_anew(town: Town) -> None:
    """The guests' bridge goes and comes again, as when a network is set up anew."""
    ports = [port["ifname"] for port in json.loads(town.must("ap", "ip", "-j", "link", "show", "master", BRIDGE))]
    before = json.loads(town.must("ap", "ip", "-j", "link", "show", BRIDGE))[0]
    for words in (
        f"link del {BRIDGE}",
        f"link add {BRIDGE} address {before['address']} type bridge",
        *(f"link set {port} master {BRIDGE}" for port in ports),
        f"link set {BRIDGE} up",
        f"addr add {AP4}/22 dev {BRIDGE}",
    ):
        town.must("ap", "ip", *words.split(" "))
    after = json.loads(town.must("ap", "ip", "-j", "link", "show", BRIDGE))[0]
    assert after["ifindex"] != before["ifindex"]


def _until_it_answers(town: Town, what: str) -> None:
    wait_for(lambda: what in town.curl("c1", *STATE, patience_s=3).stdout, within_s=60)


async def _guests(town: Town, ap: AccessPoint) -> None:
    async def curl(*words: str, client: str = "c1") -> str:
        return (await asyncio.to_thread(town.curl, client, *words)).stdout

    accept = ("-H", "Accept: application/captive+json")
    for address in (AP4, AP6):
        assert '"captive":true' in await curl(*_words(address, "/capport/api", *accept))
    page = await curl(*_words(AP6, "/en/"))
    token, terms = (page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("token", "terms"))
    form = ("-d", f"token={token}", "-d", f"terms={terms}", "-w", "%{http_code}")
    # The neighbour's press with a token that is not its own, then the guest's own by the other family.
    assert (await curl(*_words(AP4, "/en/agree", *form), client="c2")).endswith("403")
    assert (await curl(*_words(AP4, "/en/agree", *form))).endswith("303")
    assert ap.kernel.passes(mac("c1"))
    town.must("c1", "ip", "addr", "add", f"{client6('c1', 'a')}/64", "dev", "eth0", "nodad")
    # By every address of the device: a privacy address of its own, too.
    for address, source in ((AP4, ""), (AP6, client6("c1")), (AP6, client6("c1", "a"))):
        more = (*accept, "--interface", source) if source else accept
        assert '"captive":false' in await curl(*_words(address, "/capport/api", *more))
    assert '"captive":true' in await curl(*_words(AP4, "/capport/api", *accept), client="c2")
    for address in (AP4, f"[{AP6}]"):
        probe = ("-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: clients3.google.com")
        assert await curl(*probe, f"http://{address}/generate_204") == "204"
        assert await curl(*probe, f"http://{address}/generate_204", client="c2") == "302"
    # The office comes to this machine, and finds no portal there.
    tried = await asyncio.to_thread(town.run, "office", "curl", "-s", "-m", "5", "http://10.20.0.1/")
    assert tried.returncode != 0


def test_guests_of_the_bridge_and_nobody_else(tmp_path: Path) -> None:
    async def live(town: Town) -> None:
        time = HandTime()
        settings = WifiSettings(guests=BRIDGE)
        async with sessions.running(tmp_path / "ap", time, Kernel(time), with_kit=False) as ap:
            sessions.give_kit(ap, kit())
            about = {"mode": lambda: ap.mode, "online": lambda: True, "clock": ap.clock}
            serving = asyncio.create_task(run(settings, ap.guests, ap.kit, ap.holder, **about))  # type: ignore[arg-type]
            try:
                await asyncio.to_thread(_until_it_answers, town, '"captive":true')
                await _guests(town, ap)
                await asyncio.to_thread(_make_anew, town)
                await asyncio.to_thread(_until_it_answers, town, '"captive":false')
            finally:
                serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    with Town(tmp_path) as town, town.inside("ap"):
        asyncio.run(live(town))
