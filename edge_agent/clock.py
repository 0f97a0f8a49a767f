"""What time it is, and how far that can be trusted.

1. The monotonic clock (CLOCK_BOOTTIME) never jumps; with the boot id it names an instant for ever.
2. The wall clock is `synced` when the kernel says so (adjtimex), `held` when it is at least not before the last
   good time that this disk remembers, `unset` otherwise (a board without battery begins in 1970).
3. When it becomes synced, or steps, a `clock` record tells the hub; raw figures are never changed.
"""

import asyncio
import contextlib
import ctypes
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from wire.messages import ClockQuality, ClockReading

log = logging.getLogger(__name__)

STEP_MS = 500
_ANCHOR_EVERY_S = 3600
# A record that found no room is offered again after this.
_AGAIN_AFTER_S = 60
_REMEMBER_EVERY_S = 300
# Two clocks read further apart than this are read again: the process was put aside in between.
_TOGETHER_NS = 2_000_000
_READINGS = 5
_STA_UNSYNC = 0x40
_TIME_ERROR = 5


class Stamp(NamedTuple):
    """When something happened: kernel's boot id, ms since that boot, wall clock in UTC ms, its quality."""

    boot: str
    mono_ms: int
    at_ms: int
    clock: ClockQuality


class TimeSource(Protocol):
    """Where time comes from: the kernel, or a test's own."""

    def boot_id(self) -> str:
        """The kernel's boot id."""
        ...

    def boottime_ns(self) -> int:
        """Nanoseconds since boot, sleep included."""
        ...

    def realtime_ns(self) -> int:
        """The wall clock, UTC."""
        ...

    def synchronised(self) -> tuple[bool, int]:
        """Whether the kernel's clock is synchronised, and its greatest error in ms."""
        ...


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), as far as it is read; the kernel fills 208 bytes on 64-bit machines."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 32),
    )


class KernelTime:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()

    def boot_id(self) -> str:
        """The kernel's boot id."""
        return self._boot_id

    def boottime_ns(self) -> int:
        """Nanoseconds since boot, sleep included."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def realtime_ns(self) -> int:
        """The wall clock, UTC."""
        return time.time_ns()

    def synchronised(self) -> tuple[bool, int]:
        """What adjtimex(2) says; works for chrony and timesyncd alike."""
        timex = _Timex(modes=0)
        state = self._libc.adjtimex(ctypes.byref(timex))
        good = state not in (-1, _TIME_ERROR) and not timex.status & _STA_UNSYNC
        return good, timex.maxerror // 1000


class Clock:
    """Stamps for records. `remembered` is the file that keeps the last good time."""

    def __init__(self, remembered: Path, source: TimeSource | None = None) -> None:
        self._source = source or KernelTime()
        self._remembered = remembered
        self._boot = self._source.boot_id()
        self._last_good_ms = self._recall()
        self._checked_ns = -(10**18)
        self._quality: ClockQuality = "unset"
        self._error_ms = 0

    def stamp(self) -> Stamp:
        """Now."""
        return self.stamp_at(self._source.boottime_ns())

    def stamp_at(self, mono_ns: int) -> Stamp:
        """An instant of this boot that CLOCK_BOOTTIME named, at most minutes ago."""
        at_ns = mono_ns + self._offset_ns()
        return Stamp(self._boot, mono_ns // 1_000_000, at_ns // 1_000_000, self.quality())

    def now_ms(self) -> int:
        """The wall clock in UTC ms."""
        return self._source.realtime_ns() // 1_000_000

    def max_error_ms(self) -> int | None:
        """The greatest error the kernel admits; None while it is not synchronised."""
        return self._error_ms if self.quality() == "synced" else None

    def quality(self) -> ClockQuality:
        """How far the wall clock can be trusted (asked of the kernel at most once a second)."""
        now_ns = self._source.boottime_ns()
        if now_ns - self._checked_ns >= 1_000_000_000:
            self._checked_ns = now_ns
            synced, self._error_ms = self._source.synchronised()
            self._quality = "synced" if synced else self._unsynced()
        return self._quality

    def _unsynced(self) -> ClockQuality:
        # A clock before the last good time has lost it; without one nothing vouches for it.
        good = self._last_good_ms
        return "held" if good is not None and self.now_ms() >= good else "unset"

    def offset_ms(self) -> int:
        """Wall clock less time since boot: constant until the wall clock is set."""
        return self._offset_ns() // 1_000_000

    def _offset_ns(self) -> int:
        """The two clocks read together: the best of a few readings, when something came in between."""
        best_ns, offset_ns = -1, 0
        for _ in range(_READINGS):
            before_ns = self._source.boottime_ns()
            wall_ns = self._source.realtime_ns()
            apart_ns = self._source.boottime_ns() - before_ns
            if best_ns < 0 or apart_ns < best_ns:
                best_ns, offset_ns = apart_ns, wall_ns - before_ns - apart_ns // 2
            if apart_ns <= _TOGETHER_NS:
                break
        return offset_ns

    def remember(self) -> None:
        """Keeps the present as the last good time, if it is one; atomic."""
        if self.quality() != "synced":
            return
        self._last_good_ms = self.now_ms()
        temporary = self._remembered.with_suffix(".new")
        # A full disk: the older good time stays, and is good enough.
        with contextlib.suppress(OSError):
            with temporary.open("w", encoding="ascii") as file:
                file.write(f"{self._last_good_ms}\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._remembered)

    def _recall(self) -> int | None:
        try:
            return int(self._remembered.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None


Keep = Callable[[str, ClockReading, Stamp], Awaitable[bool]]


class Watch:
    """Notices that the clock was set or became synced, and keeps a `clock` record of it.

    `keep` says whether there was room for it.
    """

    def __init__(self, clock: Clock, keep: Keep) -> None:
        self._clock = clock
        self._keep = keep
        self._offset_ms = clock.offset_ms()
        self._was: ClockQuality = "unset"
        self._due_mono_ms = 0
        self._remembered_mono_ms = 0

    async def look(self) -> None:
        """One look; call it about once a second."""
        stamp = self._clock.stamp()
        step = self._clock.offset_ms() - self._offset_ms
        stepped = abs(step) > STEP_MS
        became = stamp.clock == "synced" and self._was != "synced"
        due = stamp.clock == "synced" and stamp.mono_ms >= self._due_mono_ms
        if became or due or (stepped and stamp.clock != "unset"):
            reading = ClockReading(stamp.at_ms, stamp.mono_ms, self._was, step if stepped else 0)
            kept = await self._keep("clock", reading, stamp)
            self._due_mono_ms = stamp.mono_ms + (_ANCHOR_EVERY_S if kept else _AGAIN_AFTER_S) * 1000
        if stepped:
            log.info("the wall clock was set by %d ms", step)
            self._offset_ms += step
        if became or stamp.mono_ms - self._remembered_mono_ms >= _REMEMBER_EVERY_S * 1000:
            self._remembered_mono_ms = stamp.mono_ms
            await asyncio.to_thread(self._clock.remember)
        self._was = stamp.clock

    async def run(self) -> None:
        """Looks every second until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(1)
