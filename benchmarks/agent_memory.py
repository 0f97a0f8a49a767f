"""What an agent's process takes after an hour of work, done in about a minute: as many records, taps and acks."""

import os
import subprocess
import sys
import time

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import Memory, town
from benchmarks.tap import Listener, new_view, terminal
from edge_agent.attendance.readers.cards import FeliCa
from wire import settings_file

# An hour at the default pace is 60 health and 60 usage records; 60 taps are a busy hour of one terminal.
_TAPS = 60


def hour(place: Place) -> Measured:
    """Health every second instead of every minute, and a card every second; bulk goes out every second."""
    taps = place.size(_TAPS, 6)
    with terminal(place) as (_, agent), Listener(agent.kiosk.port, "/events", "", new_view()) as kiosk:
        assert agent.process is not None
        memory = Memory(agent.process.pid)
        seen, early_mb = 0, 0.0
        for number in range(1, taps + 1):
            next_s = time.monotonic() + 1
            agent.field.place(FeliCa(number.to_bytes(8, "big")))
            seen += kiosk.next() is not None
            agent.field.remove()
            if number == taps // 3:
                early_mb = memory.now_mb()
            time.sleep(max(0.1, next_s - time.monotonic()))
        found = _now(memory, early_mb)
    return {**found, "taps": seen}


def quiet_hour(place: Place) -> Measured:
    """An agent without reader and page, as on a tablet or an access point: health and usage every second."""
    seconds = place.size(_TAPS, 6)
    settings = place.fresh / "agent.toml"
    with town(place.fresh) as (broker, _):
        plain = {
            "device": "tablet-1",
            "kind": "tablet",
            "state_dir": str(place.fresh / "state"),
            "health_every_s": 1,
            "usage_every_s": 1,
            "broker": {"port": broker.port, "bulk_every_s": 1},
        }
        settings_file.write(settings, plain, about="A tablet that is measured.")
        words = [sys.executable, "-m", "edge_agent", "run", "--settings", str(settings)]
        with subprocess.Popen(words, stderr=subprocess.DEVNULL, env=os.environ) as agent:
            memory = Memory(agent.pid)
            time.sleep(seconds / 3)
            early_mb = memory.now_mb()
            time.sleep(seconds * 2 / 3)
            found = _now(memory, early_mb)
            agent.terminate()
    return found


def _now(memory: Memory, early_mb: float) -> Measured:
    late_mb = memory.now_mb()
    return {
        "rss_mb": late_mb,
        "own_mb": memory.own_mb(),
        "after_20_min_mb": early_mb,
        "grown_mb": late_mb - early_mb,
    }


BENCHMARK = Benchmark(
    "Memory of an agent",
    "After an hour's records. The terminal has nfcpy, the kiosk page and a person looking at it; a tablet or access "
    "point has neither. `own` leaves out the pages of libraries and of Python itself that other processes share.",
    (Side("terminal", hour), Side("tablet", quiet_hour)),
    (
        Claim("resident memory of a terminal", lambda m: m["terminal"]["rss_mb"], "at most", 45, ("terminal",), "MB"),
        Claim("resident memory of a tablet", lambda m: m["tablet"]["rss_mb"], "at most", 45, ("tablet",), "MB"),
        Claim(
            "a terminal's growth in the last two thirds",
            lambda m: m["terminal"]["grown_mb"],
            "at most",
            1,
            ("terminal",),
            "MB",
        ),
    ),
    rounds=3,
)
