"""Acceptance scenario 3: what is counted is what went over the air, to within 1 %, through reloads and past 4 GiB."""

import asyncio
import struct
import subprocess
import time
from pathlib import Path

import msgspec

from edge_agent.wifi import elements
from edge_agent.wifi.commands import run
from edge_agent.wifi.elements import Counted
from edge_agent.wifi.firewall import Firewall, Limits
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import WAN4, WAN6, Town, client6, mac, needs_netns, wait_for

pytestmark = needs_netns
_MARK = 0x8000_0001
_MB = 1_000_000


async def test_both_families_and_a_privacy_address_are_one_session_counted_to_the_byte(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        near = Counted(2**32 - 1000, 2**32 - 2000)
        await run("nft", "-f", "-", given="\n".join(elements.restored({_MARK: near}, air=True)))
        await firewall.admit(mac("c1"), _MARK, 600)
        town.must("c1", "ip", "addr", "add", f"{client6('c1', 'a')}/64", "dev", "eth0", "nodad")
        seen = await asyncio.to_thread(_traffic_seen, town, tmp_path)
        used = (await firewall.counters())[_MARK]
        up, down = used.up_bytes - near.up_bytes, used.down_bytes - near.down_bytes
        assert down > 5 * _MB
        assert up > 2 * _MB
        assert abs(up + down - sum(seen)) <= sum(seen) / 100
        assert abs(up - seen[0]) <= seen[0] / 100
        assert abs(down - seen[1]) <= seen[1] / 100
        assert await firewall.remove(_MARK) == used


async def test_what_the_speed_of_a_session_drops_is_not_counted(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), _MARK, 600, Limits(4000, 4000))
        capture = tmp_path / "seen.pcap"
        dump = await asyncio.to_thread(_begin, town, capture)
        assert town.status("c1", f"http://{WAN4}/bytes/{2 * _MB}") == "200"
        seen = await asyncio.to_thread(_end, dump, capture)
        used = (await firewall.counters())[_MARK]
        assert abs(used.down_bytes - seen[1]) <= seen[1] / 100
        assert abs(used.up_bytes - seen[0]) <= seen[0] / 100


async def test_reloads_and_an_agent_that_is_killed_lose_no_byte_of_a_running_download(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), _MARK, 600, Limits(100_000, 100_000))
        capture = tmp_path / "seen.pcap"
        dump = await asyncio.to_thread(_begin, town, capture)
        running = town.popen("c1", "curl", "-sS", "-o", "/dev/null", f"http://{WAN4}/bytes/{60 * _MB}")
        last = 0
        for number in range(6):
            again = Firewall()
            office = (*PLAN.office, f"198.18.{number}.0/24")
            await again.apply(msgspec.structs.replace(PLAN, office=office, garden=bool(number % 2)))
            now = (await again.counters())[_MARK].down_bytes
            assert now >= last
            last = now
            assert await again.admitted() == {mac("c1"): _MARK}
        assert running.poll() is None, "it ran through all of it"
        await asyncio.to_thread(running.wait, 60)
        assert running.returncode == 0
        seen = await asyncio.to_thread(_end, dump, capture)
        used = (await firewall.counters())[_MARK]
        assert used.down_bytes > 60 * _MB
        assert abs(used.up_bytes + used.down_bytes - sum(seen)) <= sum(seen) / 100


async def test_what_was_counted_survives_a_table_of_another_make(tmp_path: Path) -> None:
    """As after an update of the agent that holds its sessions in other sets: the table is made anew with all in it."""
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        much = Counted(7 * 2**32 + 5, 9 * 2**32 + 6)
        await run("nft", "-f", "-", given="\n".join(elements.restored({_MARK: much}, air=True)))
        await firewall.admit(mac("c1"), _MARK, 600)
        assert town.status("c1", f"http://{WAN4}/bytes/100000") == "200"
        before = await firewall.counters()
        assert before[_MARK].down_bytes > much.down_bytes + 100_000
        await run("nft", "-f", "-", given="flush table inet machinaka\ndelete set inet machinaka garden4\n")
        await run("nft", "add set inet machinaka garden4 { type inet_service; }")
        again = Firewall()
        await again.apply(PLAN)
        assert await again.counters() == before
        assert await again.admitted() == {mac("c1"): _MARK}
        assert 500 < (await again.seconds_left())[_MARK] <= 600
        assert town.status("c1", f"http://{WAN4}/bytes/100000") == "200"


def _traffic_seen(town: Town, folder: Path) -> tuple[int, int]:
    capture, body = folder / "seen.pcap", folder / "body"
    body.write_bytes(bytes(_MB))
    dump = _begin(town, capture)
    ways = ((WAN4, ""), (f"[{WAN6}]", client6("c1")), (f"[{WAN6}]", client6("c1", "a")))
    for (address, own), down, up in zip(ways, (2 * _MB, 2 * _MB, _MB), (_MB, _MB // 2, _MB // 2), strict=True):
        own_words = ("--interface", own) if own else ()
        assert town.status("c1", f"http://{address}/bytes/{down}", *own_words) == "200"
        body.write_bytes(bytes(up))
        assert town.status("c1", f"http://{address}/", "--data-binary", f"@{body}", *own_words) == "200"
    return _end(dump, capture)


def _begin(town: Town, capture: Path) -> "subprocess.Popen[str]":
    words = (
        "-i",
        "eth0",
        "-s",
        "64",
        "-B",
        "65536",
        "-U",
        "--immediate-mode",
        "-w",
        str(capture),
        f"host {WAN4} or host {WAN6}",
    )
    dump = town.popen("c1", "tcpdump", "-Z", "root", *words, log=capture.with_suffix(".log"))
    wait_for(lambda: "listening on" in capture.with_suffix(".log").read_text())
    return dump


def _end(dump: "subprocess.Popen[str]", capture: Path) -> tuple[int, int]:
    wait_for(lambda: _still(capture))
    dump.terminate()
    dump.wait(30)
    log = capture.with_suffix(".log").read_text()
    assert "\n0 packets dropped by kernel" in log, log
    return _ip_bytes(capture.read_bytes())


def _still(capture: Path) -> bool:
    """Whether the capture has written what it has seen."""
    before = capture.stat().st_size
    time.sleep(1)
    return capture.stat().st_size == before


def _ip_bytes(pcap: bytes) -> tuple[int, int]:
    """The IP bytes that a client sent and was sent, of a capture of Ethernet frames."""
    up = down = 0
    at = 24
    mine = bytes.fromhex(mac("c1").replace(":", ""))
    while at < len(pcap):
        (kept,) = struct.unpack_from("=I", pcap, at + 8)
        frame = pcap[at + 16 : at + 16 + kept]
        at += 16 + kept
        four = frame[12:14] == b"\x08\x00"
        length = struct.unpack_from("!H", frame, 16)[0] if four else struct.unpack_from("!H", frame, 18)[0] + 40
        if frame[6:12] == mine:
            up += length
        else:
            down += length
    return up, down
