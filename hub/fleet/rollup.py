"""Health by the hour: sums that any number of samples can be added to, in any order."""

from collections.abc import Sequence
from typing import NamedTuple

from wire.messages import Health

# Outside of this a sensor is broken; sums stay far from the end of 64 bits.
_TEMPERATURE_MILLI_C = 200_000
_DEPTH = 10**12


class Figures(NamedTuple):
    """One sample, as it is charted."""

    cpu_permille: int
    memory_used_permille: int
    disk_used_permille: int
    temperature_milli_c: int | None
    spool_depth: int


def figures(health: Health) -> Figures:
    """The charted figures of a sample, each within what is possible."""
    temperature = health.temperature_milli_c
    if temperature is not None and not -_TEMPERATURE_MILLI_C <= temperature <= _TEMPERATURE_MILLI_C:
        temperature = None
    return Figures(
        min(health.cpu_permille, 1000),
        _used(health.memory_total, health.memory_available),
        _used(health.disk_total, health.disk_free),
        temperature,
        min(health.spool_urgent + health.spool_bulk, _DEPTH),
    )


def _used(total: int, free: int) -> int:
    return (total - free) * 1000 // total if total > free else 0


class HealthHour:
    """The sums of one device and hour within one group of records."""

    __slots__ = ("cpu", "disk", "memory", "samples", "spool_max", "temperature", "temperature_samples")

    def __init__(self) -> None:
        self.samples = self.cpu = self.memory = self.disk = 0
        self.temperature_samples = self.temperature = self.spool_max = 0

    def add(self, samples: Sequence[Health]) -> None:
        """Counts samples in."""
        cpu = memory = disk = warm = heat = 0
        for health in samples:
            # As `figures`, written out: this runs for each sample that comes in.
            permille, total, free = health.cpu_permille, health.memory_total, health.memory_available
            cpu += permille if permille < 1000 else 1000
            if total > free:
                memory += (total - free) * 1000 // total
            total, free = health.disk_total, health.disk_free
            if total > free:
                disk += (total - free) * 1000 // total
            temperature = health.temperature_milli_c
            if temperature is not None and -_TEMPERATURE_MILLI_C <= temperature <= _TEMPERATURE_MILLI_C:
                warm += 1
                heat += temperature
            depth = health.spool_urgent + health.spool_bulk
            if depth > self.spool_max:
                self.spool_max = min(depth, _DEPTH)
        self.samples += len(samples)
        self.cpu += cpu
        self.memory += memory
        self.disk += disk
        self.temperature_samples += warm
        self.temperature += heat

    def sums(self) -> tuple[int, ...]:
        """Samples, CPU, memory, disk, samples with a temperature, their sum, deepest spool."""
        return (
            self.samples,
            self.cpu,
            self.memory,
            self.disk,
            self.temperature_samples,
            self.temperature,
            self.spool_max,
        )
