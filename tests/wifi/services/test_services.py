"""The services of an access point with a real dnsmasq, hostapd and guests' devices in network namespaces."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from edge_agent.wifi import advert_task, self_check
from edge_agent.wifi.firewall import Firewall
from edge_agent.wifi.ruleset import Plan
from edge_agent.wifi.services import NotLaid, OnAir, Services, Wanted
from edge_agent.wifi.wanted import UNRESTRICTED
from tests.wifi.netns import AP4, AP6, PATH, Town, needs_netns
from tests.wifi.services import parts
from tests.wifi.services.parts import HOST, URI, Keeping, Kept, until

pytestmark = [
    needs_netns,
    pytest.mark.skipif(shutil.which("hostapd", path=PATH) is None, reason="hostapd is not installed"),
]
GUESTS = Wanted((OnAir("東川町 Wi-Fi"),), URI, HOST)


class Point:
    """The services in this process, in the access point's namespace."""

    def __init__(self, town: Town, folder: Path) -> None:
        self.town, self.folder = town, folder
        self.wifi = parts.wifi(folder)
        self.kept = Kept(folder)
        commands = {"dnsmasq": parts.dnsmasq(folder), "hostapd": parts.hostapd(self.wifi)}
        self.programs = Keeping(town, commands, folder)
        settings = parts.make_settings(folder, self.wifi)
        self.services = Services(settings, self.kept.spool, self.kept.clock, programs=self.programs, look_every_s=0.5)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A bed whose guests begin without addresses, with a radio (a wire) for each network."""
    with Town(tmp_path, dhcp=True) as bed:
        for name in ("wl0", "wl0_dis"):
            bed.must("ap", "ip", "link", "add", name, "type", "veth", "peer", "name", f"{name[2:]}x")
            bed.must("ap", "ip", "link", "set", name, "up")
        yield bed


@contextlib.asynccontextmanager
async def standing(town: Town, folder: Path, wanted: Wanted = GUESTS) -> AsyncIterator[Point]:
    """The services run as wanted."""
    point = Point(town, folder)
    await point.programs.restart("hostapd")
    running = asyncio.create_task(point.services.run())
    try:
        await point.services.apply(wanted)
        await until(lambda: not point.services.faults.now, "the services are well")
        yield point
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(point.kept.spool.close)
        for name in ("hostapd", "dnsmasq"):
            point.programs.end(name)


def inside(town: Town, folder: Path, story: Callable[[Point], Awaitable[None]], wanted: Wanted = GUESTS) -> None:
    """Runs a story in the access point's namespace."""

    async def run() -> None:
        async with standing(town, folder, wanted) as point:
            await story(point)

    with town.inside("ap"):
        asyncio.run(run())


def udhcpc(town: Town, folder: Path) -> dict[str, str]:
    """What busybox's client of DHCP is told at c1, and an address for it."""
    script = folder / "told.sh"
    script.write_text(
        '#!/bin/sh\nenv > "$0.env"\n[ "$1" = bound ] && ip addr replace "$ip/$mask" dev "$interface" && '
        'ip route replace default via "$router"\nexit 0\n'
    )
    script.chmod(0o755)
    done = town.run(
        "c1", "busybox", "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-O", "114", "-t", "15", "-s", str(script)
    )
    assert done.returncode == 0, done.stderr
    lines = (script.parent / f"{script.name}.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def view(town: Town, folder: Path, host: str = HOST) -> dict[str, object]:
    """What the program of the self check sees in c1's place, which has the last address."""
    town.run("c1", "ip", "addr", "replace", "10.77.3.254/22", "dev", "eth0")
    root = Path(__file__).resolve().parents[3]
    words = (sys.executable, "-m", "edge_agent.wifi.guest_view", "eth0", "10.77.3.254", AP4, AP6, host)
    with town.inside("c1"):
        done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=root, timeout=60)
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_the_same_uri_is_told_three_ways_and_the_portals_name_leads_here(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        told = await asyncio.to_thread(udhcpc, town, tmp_path)
        assert bytes.fromhex(told["opt114"]).decode() == URI
        assert (told["router"], told["dns"]) == (AP4, AP4)
        await asyncio.to_thread(see_both, URI)
        unrestricted = Wanted((*GUESTS.networks, OnAir("00000JAPAN", "disaster")), UNRESTRICTED, HOST)
        await point.services.apply(unrestricted)
        await asyncio.to_thread(see_both, UNRESTRICTED)
        told = await asyncio.to_thread(udhcpc, town, tmp_path)
        assert bytes.fromhex(told["opt114"]).decode() == UNRESTRICTED

    def see_both(uri: str) -> None:
        for _ in range(30):
            found = view(town, tmp_path)
            if [found[key] for key in ("114", "103", "37")] == [uri] * 3:
                break
        assert [found[key] for key in ("114", "103", "37")] == [uri] * 3
        assert found["dns"] == AP4
        six = town.must("c1", "busybox", "nslookup", "-type=aaaa", HOST, AP4)
        assert AP6 in six

    inside(town, tmp_path, story)


def test_the_disaster_network_comes_and_goes_without_a_word_to_the_others(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        log = point.folder / "hostapd.log"
        both = Wanted((*GUESTS.networks, OnAir("00000JAPAN", "disaster")), UNRESTRICTED, HOST)
        await point.services.apply(both)
        assert set(await point.services.air.interfaces()) == {"wl0", "wl0_dis"}
        await point.services.apply(GUESTS)
        assert await point.services.air.interfaces() == ("wl0",)
        said = await asyncio.to_thread(log.read_text)
        assert said.count("wl0: AP-ENABLED") == 1
        assert "wl0: AP-DISABLED" not in said
        assert "wl0_dis: AP-DISABLED" in said

    inside(town, tmp_path, story)


@pytest.mark.parametrize("name", ["dnsmasq.conf", "hostapd-wl0.conf"])
def test_a_file_that_others_changed_is_told_and_put_back(town: Town, tmp_path: Path, name: str) -> None:
    async def story(point: Point) -> None:
        path = tmp_path / name
        before = await asyncio.to_thread(path.read_text)
        restarts = point.programs.restarts
        await asyncio.to_thread(path.write_text, before + "# mine\n")
        await until(lambda: path.read_text() == before, "it is put back")
        async with asyncio.timeout(60):
            while [alarm.state for alarm in await point.kept.alarms()] != ["begun", "ended"]:  # noqa: ASYNC110 (a database is asked)
                await asyncio.sleep(0.1)
        (begun, _) = await point.kept.alarms()
        assert (begun.name, begun.detail) == ("wifi_drift", name)
        assert point.programs.restarts == restarts + (name == "dnsmasq.conf"), "what runs is what the file says"

    inside(town, tmp_path, story)


def test_what_others_changed_on_the_air_is_told_and_put_back(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        await point.services.air.control("wl0").ask("SET ssid Free_WiFi")
        await point.services.air.control("wl0").ask("RELOAD")
        rogue = tmp_path / "rogue.conf"
        await asyncio.to_thread(rogue.write_text, "interface=wl0_dis\ndriver=wired\nssid=rogue\n")
        await point.services.air._whole.ask(f"ADD bss_config=wl0_dis:{rogue}")
        async with asyncio.timeout(60):
            while [alarm.state for alarm in await point.kept.alarms()][-1:] != ["ended"]:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.1)
        assert await point.services.air.interfaces() == ("wl0",)

    inside(town, tmp_path, story)


def files(folder: Path) -> dict[str, str]:
    """What lies there."""
    return {path.name: path.read_text() for path in folder.glob("*.conf")}


def test_a_change_that_cannot_be_changes_nothing(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        before = await asyncio.to_thread(files, tmp_path)
        for wrong in (
            Wanted((OnAir("とても長い名前の町営無線網"),), URI, HOST),
            Wanted((OnAir("staff", "staff"),), URI, HOST),
            Wanted(GUESTS.networks, "https://x/\nserver=8.8.8.8", HOST),
            Wanted(GUESTS.networks, URI, "a b"),
            Wanted(GUESTS.networks, URI, HOST, ("good.example", "bad/1.2.3.4")),
        ):
            with pytest.raises(NotLaid):
                await point.services.apply(wrong)
            with pytest.raises(NotLaid):
                await point.services.rehearse(wrong)
        assert point.services.wanted == GUESTS
        assert await asyncio.to_thread(files, tmp_path) == before
        assert await point.services.air.interfaces() == ("wl0",)
        assert "options 114, 103 and 37: " + UNRESTRICTED in await point.services.rehearse(
            Wanted((OnAir("00000JAPAN", "disaster"),), UNRESTRICTED, HOST)
        )

    inside(town, tmp_path, story)


def test_dnsmasq_that_ended_is_started_again(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        point.programs.end("dnsmasq")
        restarts = point.programs.restarts
        await until(lambda: point.programs.restarts == restarts + 1, "it is started")
        assert not await point.kept.alarms()

    inside(town, tmp_path, story)


def test_a_hostile_guest_leaves_dnsmasq_answering_and_nothing_of_guests_on_disk(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        restarts = point.programs.restarts
        await asyncio.to_thread(udhcpc, town, tmp_path)
        await asyncio.to_thread(hostile, town)
        found = await asyncio.to_thread(view, town, tmp_path)
        assert (found["114"], found["103"], found["37"], found["dns"]) == (URI, URI, URI, AP4)
        assert point.programs.restarts == restarts
        log = await asyncio.to_thread((tmp_path / "dnsmasq.log").read_text)
        assert "02:00:00:00:00:c1" not in log
        assert "portal-of-mine" not in log

    inside(town, tmp_path, story)


def hostile(town: Town, seed: int = 5) -> None:
    """Junk and half-right packets of DNS, DHCP, DHCPv6 and ICMPv6 from c1."""
    chance = random.Random(seed)
    dhcp = b"\1\1\6\0" + bytes(232) + b"\x63\x82\x53\x63\x35\1\3\x0c\x0eportal-of-mine\xff"
    starts = {53: b"\0\1\1\0\0\1\0\0\0\0\0\0", 67: dhcp, 547: b"\x01abc\0\1\0\x0a\0\3\0\1\2\0\0\0\0\xc1"}
    with town.inside("c1"):
        index = socket.if_nametoindex("eth0")
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
            socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
            socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw,
        ):
            four.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            for turn in range(3000):
                port = chance.choice((53, 67, 547))
                data = bytearray(starts[port] + os.urandom(chance.randrange(0, 300)))
                for _ in range(chance.randrange(0, 6)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                with contextlib.suppress(OSError):
                    if port == 547:
                        six.sendto(data, ("ff02::1:2", port, 0, index))
                    else:
                        four.sendto(data, (AP4 if turn % 2 else "255.255.255.255", port))
                    raw.sendto(b"\x85\0" + os.urandom(chance.randrange(2, 60)), ("ff02::2", 0, 0, index))


def test_what_an_access_point_tries_on_itself(town: Town, tmp_path: Path) -> None:
    async def story(point: Point) -> None:
        firewall = Firewall()
        await firewall.apply(Plan("br0", "up0", point.wifi.ipv4, point.wifi.ipv6, ("10.20.0.0/16",)))
        checks = self_check.SelfChecks(point.wifi, point.services, point.kept.clock, lambda: True)
        found = {one.name: one for one in await checks.look()}
        for name in ("isolation", "option_114", "option_103", "option_37", "captive_443", "office", "dns"):
            assert found[name].ok, found[name]
        assert not found["portal"].ok, "nobody shows one here"
        assert found["hostapd"].ok
        await asyncio.to_thread(town.must, "ap", "nft", "flush", "ruleset")
        await asyncio.to_thread(town.must, "ap", "bridge", "link", "set", "dev", "pc2", "isolated", "off")
        found = {one.name: one for one in await checks.look()}
        assert "pc2" in found["isolation"].detail
        assert "443 is nothing" in found["captive_443"].detail
        assert "mkg0" not in await asyncio.to_thread(town.must, "ap", "ip", "link"), "the guest's place is left"

    inside(town, tmp_path, story)


def test_a_device_that_is_no_way_to_the_internet_by_ipv6_does_not_say_it_is(town: Town, tmp_path: Path) -> None:
    with town.inside("ap"):
        assert advert_task._own_lifetime_s("up0") > 0
        assert advert_task._own_lifetime_s("br0") == 0
