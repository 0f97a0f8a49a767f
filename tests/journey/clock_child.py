"""The agent with a clock that a test sets: `python -m tests.journey.clock_child <settings>`.

The file `clock` beside the settings holds the wall clock's offset from the true time in ms, and `yes` or `no` for
synchronised; the time since boot is the kernel's.
"""

import asyncio
import sys
import time
from pathlib import Path

from edge_agent import app, settings
from edge_agent.clock import Clock, KernelTime


class SetTime:
    """A board without a battery: its wall clock is whatever the file says."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._kernel = KernelTime()

    def _read(self) -> tuple[int, bool]:
        offset_ms, synced = self._file.read_text().split()
        return int(offset_ms), synced == "yes"

    def boot_id(self) -> str:
        """The kernel's."""
        return self._kernel.boot_id()

    def boottime_ns(self) -> int:
        """The kernel's."""
        return self._kernel.boottime_ns()

    def realtime_ns(self) -> int:
        """The kernel's, as far off as the file says."""
        return time.time_ns() + self._read()[0] * 1_000_000

    def synchronised(self) -> tuple[bool, int]:
        """What the file says."""
        return self._read()[1], 10


if __name__ == "__main__":
    file = Path(sys.argv[1])
    told = settings.load(file)
    clock = Clock(Path(told.state_dir) / "good-time", SetTime(file.with_name("clock")))
    asyncio.run(app.run(told, clock=clock, file=str(file)))
