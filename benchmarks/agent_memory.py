"""What an agent's process takes after an hour of work, done in about a minute: as many records, taps and acks."""

import time

import psutil

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side
from benchmarks.parts import Memory
from benchmarks.tap import Listener, new_view, terminal
from edge_agent.attendance.readers.cards import FeliCa

# An hour at the default pace is 60 health and 60 usage records; 60 taps are a busy hour of one terminal.
_TAPS = 60


def hour(place: Place) -> Measured:
    """Health and usage every second instead of every minute, and a card every second; bulk goes out every second."""
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
        late_mb = memory.now_mb()
        own_mb = psutil.Process(agent.process.pid).memory_full_info().uss / 1e6
    return {
        "rss_mb": late_mb,
        "own_mb": own_mb,
        "after_20_min_mb": early_mb,
        "grown_mb": late_mb - early_mb,
        "taps": seen,
    }


BENCHMARK = Benchmark(
    "Memory of a terminal's agent",
    "After an hour's records, with nfcpy, the kiosk page and a person looking at it. `own` leaves out the pages of "
    "libraries and of Python itself that other processes share.",
    (Side("agent", hour),),
    (
        Claim("resident memory", lambda m: m["agent"]["rss_mb"], "at most", 45, ("agent",), "MB"),
        Claim("growth in the last two thirds", lambda m: m["agent"]["grown_mb"], "at most", 1, ("agent",), "MB"),
    ),
    rounds=3,
)
