"""Killed at random moments, with the power or without: what was promised to a guest is in the spool."""

import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import msgspec

from tests.wifi.sessions import killed_child
from tests.wifi.sessions.parts import files
from wire import codec
from wire.messages import WifiSession

KILLS = 9


def _lived(state: Path, table: Path, boot: str, seed: int, life_s: float) -> list[list[str]]:
    """What a process said until it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", killed_child.__name__, str(state), str(table), boot, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        time.sleep(life_s)
    finally:
        child.kill()
    said = child.stdout.read().splitlines(keepends=True)
    child.wait()
    child.stdout.close()
    return [line.split() for line in said if line.endswith("\n")]


async def test_nothing_that_was_promised_is_lost_and_no_session_ends_twice(tmp_path: Path) -> None:
    state, table = tmp_path / "state", tmp_path / "kernel.json"
    state.mkdir()
    chance = random.Random(20261125)
    promised: list[list[str]] = []
    boot = 0
    for kill in range(KILLS):
        # Every third time the power goes, and the kernel's table with it.
        if kill % 3 == 2:
            boot += 1
            table.unlink(missing_ok=True)
        promised += _lived(state, table, f"boot-{boot}", kill, chance.uniform(0.05, 0.6))
    guests, _, spool = killed_child.make(state, tmp_path / "none", "the last boot")
    await guests.restore()
    await guests.round()
    told: list[WifiSession] = [
        codec.decode_body(one.kind, one.body) for one in await spool.recent("wifi_session", 100_000)
    ]
    consents = [codec.decode_body(one.kind, one.body) for one in await spool.recent("consent", 100_000)]
    await guests.close()
    spool.close()

    tellings = defaultdict(list)
    for one in told:
        tellings[one.session].append(one)
    agreed = {line[1] for line in promised if line[0] == "agreed"}
    assert len(agreed) > KILLS
    # A session that goes on with another has its consent there.
    assert agreed <= {one.session for one in consents}
    ends = {}
    for session, some in tellings.items():
        found = [one for one in some if one.cause]
        # Everything has ended by now, in one way; whoever takes the greatest counters gets those of the end.
        assert {(one.cause, one.last_ms, one.up_bytes, one.down_bytes) for one in found} == {
            (found[0].cause, found[0].last_ms, found[0].up_bytes, found[0].down_bytes)
        }
        assert found[0].up_bytes == max(one.up_bytes for one in some)
        assert len({one.boot for one in some}) == 1
        ends[session] = found[0]
    assert {line[1] for line in promised if line[0] == "left"} <= {s for s, end in ends.items() if end.cause == "user"}
    assert {end.cause for end in ends.values()} >= {"user", "power"}
    extended = [line[1] for line in promised if line[0] == "extended"]
    assert all(ends[session].extensions >= 1 for session in extended)
    # What a round had counted is told, whatever came after.
    counted = {line[1]: int(line[2]) for line in promised if line[0] == "counted"}
    assert counted
    assert [s for s, used in counted.items() if _used_from(s, ends) < used] == []
    assert not [path for path in files(state) if b"02:00:5e" in path.read_bytes()]


def _used_from(session: str, ends: dict[str, WifiSession]) -> int:
    """What a guest had used by the end of a session, with what it went on from: the quota counts over."""
    end = ends[session]
    before = [one for one in ends.values() if end.origin and end.origin in (one.session, one.origin)]
    earlier = [one for one in before if one.began_ms < end.began_ms]
    return sum(one.up_bytes + one.down_bytes for one in (*earlier, end))


def test_a_telling_is_small() -> None:
    one = WifiSession("a" * 32, "b" * 36, 2**20, 2**41, 2**41, 2**40, 2**40, "c" * 32, "2026-11-25")
    assert len(codec.encode_body(msgspec.structs.replace(one, network="n" * 32, origin="d" * 32))) < 512
