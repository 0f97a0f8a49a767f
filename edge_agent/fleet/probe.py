"""Access: how this machine is, read from /proc, /sys and supervisor.  Every call here may block.

1. What the machine does not have is absent (None, or 0 where the wire asks for a figure), never a guess.
2. A figure that cannot be read is told to the log once when that begins and once when it ends.
"""

import logging
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from edge_agent.fleet import processes
from edge_agent.fleet.usage import Counters, Facts
from wire.messages import ProcessState

log = logging.getLogger(__name__)

T = TypeVar("T")

# The first reading has nothing to compare with and looks at so long a moment.
_FIRST_LOOK_S = 0.5
_VCGENCMD_TIMEOUT_S = 5
# Under-voltage now: bit 0 of the firmware's own word (vcgencmd get_throttled).
_UNDER_VOLTAGE = 1
# A thermal zone that names the processor is better than the first one that comes.
_CPU_ZONES = ("cpu", "soc", "pkg", "package")


@dataclass(frozen=True, slots=True)
class Vitals:
    """What the machine itself tells; the rest of a health record is the agent's own."""

    cpu_permille: int
    memory_total: int
    memory_available: int
    disk_total: int
    disk_free: int
    uptime_s: int
    agent_rss: int
    load_milli: int | None
    temperature_milli_c: int | None
    throttled: int | None
    processes: tuple[ProcessState, ...]


class Probe:
    """Reads one machine. `state_dir` is the disk that matters; `sys` is where /sys is."""

    def __init__(
        self, state_dir: Path, device: str = "", supervisor_socket: str = "", sys: Path = Path("/sys")
    ) -> None:
        self._state_dir = state_dir
        self._device = device
        self._supervisor_socket = supervisor_socket
        self._sys = sys
        self._agent = psutil.Process()
        self._cpu: tuple[float, float] | None = None
        self._vcgencmd = shutil.which("vcgencmd")
        self._failing: set[str] = set()

    def vitals(self) -> Vitals:
        """How the machine is now; never raises for what a machine may lack."""
        memory = self._try("memory", psutil.virtual_memory)
        disk = self._try("disk", lambda: os.statvfs(self._state_dir))
        return Vitals(
            cpu_permille=self._try("cpu", self._cpu_permille) or 0,
            memory_total=memory.total if memory else 0,
            memory_available=memory.available if memory else 0,
            disk_total=disk.f_blocks * disk.f_frsize if disk else 0,
            disk_free=disk.f_bavail * disk.f_frsize if disk else 0,
            uptime_s=int(time.clock_gettime(time.CLOCK_BOOTTIME)),
            agent_rss=self._try("own memory", lambda: self._agent.memory_info().rss) or 0,
            load_milli=self._try("load", lambda: int(os.getloadavg()[0] * 1000)),
            temperature_milli_c=self._try("temperature", self._temperature),
            throttled=self._try("throttling", self._throttled),
            processes=self._try("processes", self._processes) or (),
        )

    def counters(self) -> tuple[Counters, ...]:
        """The byte counters of every interface and what /sys knows of it."""
        # nowrap: psutil would add up wrapped counters itself; the hub wants them as the kernel has them.
        every = self._try("interfaces", lambda: psutil.net_io_counters(pernic=True, nowrap=False)) or {}
        return tuple(Counters(name, one.bytes_recv, one.bytes_sent, self._facts(name)) for name, one in every.items())

    def _try(self, what: str, read: Callable[[], T]) -> T | None:
        try:
            figure = read()
        except (OSError, ValueError, psutil.Error, subprocess.SubprocessError, processes.NoAnswer) as error:
            if what not in self._failing:
                self._failing.add(what)
                log.warning("health: %s cannot be read: %s", what, error)
            return None
        if what in self._failing:
            self._failing.discard(what)
            log.info("health: %s can be read again", what)
        return figure

    def _cpu_permille(self) -> int:
        if self._cpu is None:
            self._cpu = _cpu_times()
            time.sleep(_FIRST_LOOK_S)
        busy_before, total_before = self._cpu
        self._cpu = busy, total = _cpu_times()
        spent = total - total_before
        return max(0, min(1000, round(1000 * (busy - busy_before) / spent))) if spent > 0 else 0

    def _temperature(self) -> int | None:
        zones = sorted(self._sys.glob("class/thermal/thermal_zone*"))
        zones.sort(key=lambda zone: not any(word in _word(zone / "type").lower() for word in _CPU_ZONES))
        for zone in zones:
            if figure := _word(zone / "temp"):
                return int(figure)
        return None

    def _throttled(self) -> int | None:
        if self._vcgencmd:
            answer = subprocess.run(
                [self._vcgencmd, "get_throttled"],
                capture_output=True,
                text=True,
                check=True,
                timeout=_VCGENCMD_TIMEOUT_S,
            )
            return int(answer.stdout.strip().removeprefix("throttled="), 16)
        for sensor in self._sys.glob("class/hwmon/hwmon*"):
            if _word(sensor / "name") == "rpi_volt":
                return _UNDER_VOLTAGE if _word(sensor / "in0_lcrit_alarm") == "1" else 0
        return None

    def _processes(self) -> tuple[ProcessState, ...]:
        if not self._supervisor_socket:
            return ()
        return processes.states(self._supervisor_socket, self._device)

    def _facts(self, name: str) -> Facts:
        folder = self._sys / "class/net" / name
        uevent = dict(line.partition("=")[::2] for line in _text(folder / "uevent").splitlines())
        kind = _word(folder / "type")
        return Facts(
            type=int(kind) if kind.isdigit() else None,
            devtype=uevent.get("DEVTYPE", ""),
            driver=_target(folder / "device/driver"),
            wireless=(folder / "wireless").exists() or (folder / "phy80211").exists(),
            tun=(folder / "tun_flags").exists(),
            physical=(folder / "device").exists(),
        )


def _cpu_times() -> tuple[float, float]:
    """Busy and whole time of all processors since boot, in seconds."""
    times = psutil.cpu_times()
    # Guest time is part of user time already; waiting for a disk is not work.
    idle = times.idle + getattr(times, "iowait", 0.0)
    names = ("user", "nice", "system", "irq", "softirq", "steal")
    busy = sum(getattr(times, name, 0.0) for name in names)
    return busy, busy + idle


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _word(path: Path) -> str:
    return _text(path).strip()


def _target(link: Path) -> str:
    try:
        return link.readlink().name
    except OSError:
        return ""
