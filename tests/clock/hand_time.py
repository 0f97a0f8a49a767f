"""Time by hand: a kernel's clocks that move only when they are told to."""

from dataclasses import dataclass

from edge_agent.clock import Stamp

# 2026-11-24 08:24:00 in Japan.
MORNING_MS = 1_795_476_240_000


@dataclass
class HandTime:
    """A TimeSource. `mono_ms` since the boot named `boot`, wall clock `wall_ms`, and what adjtimex would say."""

    wall_ms: int = MORNING_MS
    mono_ms: int = 60_000
    boot: str = "boot-1"
    synced: bool = True
    error_ms: int = 12

    def boot_id(self) -> str:
        """See TimeSource."""
        return self.boot

    def boottime_ns(self) -> int:
        """See TimeSource."""
        return self.mono_ms * 1_000_000

    def realtime_ns(self) -> int:
        """See TimeSource."""
        return self.wall_ms * 1_000_000

    def synchronised(self) -> tuple[bool, int]:
        """See TimeSource."""
        return self.synced, self.error_ms

    def stamp(self) -> Stamp:
        """This moment, as a record carries it."""
        return Stamp(self.boot, self.mono_ms, self.wall_ms, "synced" if self.synced else "unset")

    def pass_ms(self, ms: int) -> None:
        """Time goes by."""
        self.mono_ms += ms
        self.wall_ms += ms

    def set_wall(self, wall_ms: int, *, synced: bool | None = None) -> None:
        """Somebody sets the wall clock."""
        self.wall_ms = wall_ms
        self.synced = self.synced if synced is None else synced
