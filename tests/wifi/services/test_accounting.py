"""The accounting receiver with real radclient and a real spool: answered only when durable, nothing lost, said once."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edge_agent.wifi import radius
from edge_agent.wifi.accounting import session_name
from edge_agent.wifi.radius_task import Radius
from tests.wifi.netns import PATH, wait_for
from tests.wifi.services.parts import SECRET, Kept, day_key, until
from wire.kit import pseudonym
from wire.messages import WifiSession

RADCLIENT = shutil.which("radclient", path=PATH)
needs_radclient = pytest.mark.skipif(RADCLIENT is None, reason="radclient is not installed (freeradius-utils)")


def free_port() -> int:
    """A port for datagrams that nobody has."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Receiving:
    """A receiver in this process."""

    def __init__(self, kept: Kept, port: int) -> None:
        self.kept, self.port = kept, port
        self.radius = Radius(kept.spool, kept.clock, day_key, lambda: SECRET, ports=(port, 0))
        self.ready = asyncio.Event()
        self.radius.on_ready(self.ready.set)


@contextlib.asynccontextmanager
async def receiving(folder: Path) -> AsyncIterator[Receiving]:
    """A receiver on a port of its own; ended with its spool."""
    bed = Receiving(Kept(folder), free_port())
    running = asyncio.create_task(bed.radius.run())
    try:
        await asyncio.wait_for(bed.ready.wait(), 30)
        yield bed
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await asyncio.to_thread(bed.kept.spool.close)


def record(session: str, status: str, *others: str) -> str:
    """One packet as radclient reads it."""
    fixed = ["Calling-Station-Id = 02-00-00-00-00-C1", "Called-Station-Id = 02-00-00-00-00-01:staff"]
    lines = [f"Acct-Session-Id = {session}", f"Acct-Status-Type = {status}", *fixed, *others]
    return "\n".join(lines) + "\n\n"


def radclient(port: int, packets: str, *words: str) -> str:
    """What radclient says of its packets. Raises where one stays without an answer."""
    command = [str(RADCLIENT), "-q", "-s", "-r", "5", "-t", "2", *words, f"127.0.0.1:{port}", "acct", SECRET]
    done = subprocess.run(command, input=packets, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs_radclient
async def test_a_session_from_start_to_stop_is_told_whole_and_without_a_device_or_a_user(tmp_path: Path) -> None:
    session = "00AB00CD00EF0012"
    at = 1_790_000_000
    async with receiving(tmp_path) as bed:
        start = record(session, "Start", f"Event-Timestamp = {at}", "User-Name = yamada")
        interim = record(
            session,
            "Interim-Update",
            f"Event-Timestamp = {at + 600}",
            "Acct-Session-Time = 600",
            "Acct-Input-Octets = 4294967000",
        )
        wrapped = interim.replace("4294967000", "500\nAcct-Input-Gigawords = 1").replace(str(at + 600), str(at + 1200))
        stop = record(session, "Stop", f"Event-Timestamp = {at + 1300}", "Acct-Terminate-Cause = Admin-Reset")
        for packets in (start, interim, wrapped, stop, interim, stop, start):
            await asyncio.to_thread(radclient, bed.port, packets)
        told = await bed.kept.sessions()
    assert [one.number for one in told] == sorted({one.number for one in told})
    assert len(told) == 4, "what was told before makes no further record"
    last = told[-1]
    assert (last.session, last.way, last.network, last.cause) == (session_name(session), "staff", "staff", "admin")
    assert (last.began_ms, last.last_ms) == (at * 1000, (at + 1300) * 1000)
    assert last.up_bytes == 2**32 + 500
    assert last.guest == pseudonym(day_key(last.day), "02:00:00:00:00:c1")
    raw = await asyncio.to_thread(on_disk, tmp_path)
    assert not [word for word in (b"yamada", b"02-00-00-00-00-C1", b"02:00:00:00:00:c1") if word in raw]


def on_disk(folder: Path) -> bytes:
    """Every byte of the spool's files."""
    return b"".join(path.read_bytes() for path in folder.glob("spool.db*"))


@needs_radclient
async def test_no_answer_before_the_record_is_durable(tmp_path: Path) -> None:
    async with receiving(tmp_path) as bed:
        go_on = threading.Event()
        held = bed.kept.spool._thread.submit(go_on.wait, 60)  # the disk takes its time
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0)
            asking.connect(("127.0.0.1", bed.port))
            told = [(40, radius.whole(1)), (44, b"00000000000000A1")]
            asking.send(radius.request(radius.ACCOUNTING_REQUEST, 1, told, SECRET.encode()))
            await until(lambda: bed.radius.sessions == 1, "it is heard")
            await asyncio.sleep(0.3)
            with pytest.raises(BlockingIOError):
                asking.recv(100)
            go_on.set()
            loop = asyncio.get_running_loop()
            assert (await asyncio.wait_for(loop.sock_recv(asking, 100), 30))[0] == radius.ACCOUNTING_RESPONSE
        held.result()
        assert len(await bed.kept.sessions()) == 1


@needs_radclient
async def test_2000_records_of_radclient_none_lost_none_twice(tmp_path: Path) -> None:
    async with receiving(tmp_path) as bed:
        packets = "".join(record(f"{n:016X}", "Start", "Event-Timestamp = 1790000000") for n in range(2000))
        said = await asyncio.to_thread(radclient, bed.port, packets, "-p", "50")
        told = await bed.kept.sessions()
    assert sorted(one.session for one in told) == [f"{n:032x}" for n in range(2000)], said


async def test_what_nobody_with_the_secret_made_is_not_answered_and_said_once(tmp_path: Path) -> None:
    async with receiving(tmp_path) as bed:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0)
            asking.connect(("127.0.0.1", bed.port))
            good = [(40, radius.whole(1)), (44, b"00000000000000A1")]
            for junk in (b"", b"\0" * 20, os.urandom(200), radius.request(4, 1, good, b"another secret")):
                asking.send(junk)
            await until(lambda: bool(bed.radius.faults.now), "it is said")
            assert list(bed.radius.faults.now) == ["accounting_unreadable"]
            asking.send(radius.request(4, 2, good, SECRET.encode()))
            answer = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(asking, 100), 30)
            assert answer[:2] == bytes((radius.ACCOUNTING_RESPONSE, 2))
        assert not bed.radius.faults.now


async def test_a_session_is_known_again_after_a_new_start_of_the_agent_and_lost_when_hostapd_begins_anew(
    tmp_path: Path,
) -> None:
    told = [(44, b"00000000000000A1"), (55, radius.whole(1_790_000_000))]
    async with receiving(tmp_path) as bed:
        await ask(bed.port, (40, radius.whole(1)), *told)
    async with receiving(tmp_path) as bed:
        assert bed.radius.sessions == 1
        await ask(bed.port, (40, radius.whole(1)), *told)
        assert len(await bed.kept.sessions()) == 1
        await ask(bed.port, (40, radius.whole(7)))
        assert bed.radius.sessions == 0
        last = (await bed.kept.sessions())[-1]
    assert (last.cause, last.last_ms) == ("lost", 1_790_000_000_000)


async def ask(port: int, *told: tuple[int, bytes]) -> None:
    """One request that is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(0)
        asking.connect(("127.0.0.1", port))
        asking.send(radius.request(radius.ACCOUNTING_REQUEST, 1, told, SECRET.encode()))
        await asyncio.wait_for(asyncio.get_running_loop().sock_recv(asking, 100), 30)


@contextlib.contextmanager
def process(folder: Path, port: int, *before: str) -> Iterator[subprocess.Popen[str]]:
    """The receiver as a process."""
    words = [*before, sys.executable, "-m", "tests.wifi.services.receiver", str(folder), str(port)]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert running.stdout is not None
    try:
        assert running.stdout.readline() == "ready\n"
        yield running
    finally:
        running.kill()
        running.wait(30)
        running.stdout.close()


def test_killed_at_any_moment_nothing_that_was_answered_is_lost(tmp_path: Path) -> None:
    answered: set[int] = set()
    for turn in range(3):
        with process(tmp_path, port := free_port()) as running:
            answered |= flood(port, running, 300 * (turn + 1), first=turn * 10_000)
    assert len(answered) > 100
    assert set(stored(tmp_path)) >= {f"{number:032x}" for number in answered}


def flood(port: int, running: "subprocess.Popen[str]", kill_after: int, *, first: int) -> set[int]:
    """Sends requests without a pause and kills the receiver after so many answers; the numbers that were answered."""
    answered: set[int] = set()
    by_identifier: dict[int, int] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(("127.0.0.1", port))
        asking.settimeout(0.05)
        for number in range(first, first + 10_000):
            by_identifier[number % 256] = number
            told = [(40, radius.whole(1)), (44, b"%016X" % number)]
            with contextlib.suppress(OSError):
                asking.send(radius.request(4, number % 256, told, SECRET.encode()))
                answered.add(by_identifier[asking.recv(100)[1]])
            if len(answered) == kill_after:
                running.send_signal(signal.SIGKILL)
            if running.poll() is not None:
                break
    return answered


def stored(folder: Path) -> list[str]:
    """The sessions in a spool that nobody has open."""

    async def read() -> list[WifiSession]:
        kept = Kept(folder)
        try:
            return await kept.sessions()
        finally:
            kept.spool.close()

    return [one.session for one in asyncio.run(read())]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_kernel_saw_the_record_synced_before_the_answer_was_sent(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    watched = ("strace", "-f", "-qq", "-s", "200", "-o", str(trace), "-e", "trace=fsync,fdatasync,sendto,recvfrom")
    with process(tmp_path, port := free_port(), *watched):
        asyncio.run(ask(port, (40, radius.whole(1)), (44, b"00000000000000A1")))
        wait_for(lambda: "sin_port" in trace.read_text().split("sendto(")[-1])
    lines = trace.read_text().splitlines()
    received = next(at for at, line in enumerate(lines) if "recvfrom(" in line and "00A1" in line)
    sent = next(at for at, line in enumerate(lines) if at > received and "sendto(" in line and "sin_port" in line)
    assert [line for line in lines[received:sent] if "sync(" in line], lines[received : sent + 1]
