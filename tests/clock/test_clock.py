"""What time it is and how far that can be trusted: with time by hand, and with the kernel's own."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from edge_agent.clock import Clock, KernelTime, Stamp, Watch
from tests.clock.hand_time import MORNING_MS, HandTime
from wire.messages import ClockReading

_HOUR_MS = 3_600_000


class Hub:
    """Keeps what a Watch tells, as long as there is room."""

    def __init__(self) -> None:
        self.told: list[tuple[ClockReading, Stamp]] = []
        self.room = True
        self.offered = 0

    async def keep(self, kind: str, reading: ClockReading, stamp: Stamp) -> bool:
        """See Keep."""
        assert kind == "clock"
        self.offered += 1
        if self.room:
            self.told.append((reading, stamp))
        return self.room


class Desk:
    """A Clock and its Watch over time by hand."""

    def __init__(self, folder: Path, source: HandTime) -> None:
        self.time, self.hub = source, Hub()
        self.file = folder / "good-time"
        self.clock = Clock(self.file, source)
        self.watch = Watch(self.clock, self.hub.keep)

    def look(self, after_ms: int = 1_000) -> list[ClockReading]:
        """Looks once after a while; what was told by that."""
        before = len(self.hub.told)
        self.time.pass_ms(after_ms)
        asyncio.run(self.watch.look())
        return [reading for reading, _ in self.hub.told[before:]]


def test_a_board_without_a_battery_begins_in_1970_and_is_corrected(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime(wall_ms=5_000, mono_ms=5_000, synced=False))
    assert desk.clock.stamp() == Stamp("boot-1", 5_000, 5_000, "unset")
    assert desk.look() == []
    tap = desk.clock.stamp()
    # The network comes: first the step, then the kernel's word that it is synchronised.
    desk.time.set_wall(MORNING_MS)
    assert desk.look() == []
    desk.time.synced = True
    [reading] = desk.look()
    assert (reading.was, reading.step_ms) == ("unset", 0)
    # Figured back by the reading, the tap has its true time.
    assert tap.mono_ms + reading.wall_ms - reading.mono_ms == MORNING_MS
    assert desk.clock.stamp().clock == "synced"


def test_a_step_that_comes_with_the_synchronisation_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime(wall_ms=5_000, mono_ms=5_000, synced=False))
    desk.look()
    desk.time.set_wall(MORNING_MS, synced=True)
    [reading] = desk.look()
    assert (reading.was, reading.step_ms) == ("unset", MORNING_MS - 6_000)


def test_a_step_while_synchronised_is_told_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    assert [reading.was for reading in desk.look()] == ["unset"]
    desk.time.set_wall(desk.time.wall_ms - 7_200_000)
    [reading] = desk.look()
    assert (reading.was, reading.step_ms) == ("synced", -7_200_000)
    assert desk.look() == []


def test_a_small_slew_is_no_step(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    desk.look()
    desk.time.set_wall(desk.time.wall_ms + 500)
    assert desk.look() == []


def test_a_held_clock_that_somebody_sets_is_told(tmp_path: Path) -> None:
    (tmp_path / "good-time").write_text(f"{MORNING_MS - 1}\n")
    desk = Desk(tmp_path, HandTime(synced=False))
    assert desk.look() == []
    desk.time.set_wall(desk.time.wall_ms + 60_000)
    [reading] = desk.look()
    assert (reading.was, reading.step_ms) == ("held", 60_000)


def test_anchors_come_every_hour(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    assert len(desk.look()) == 1
    assert desk.look(_HOUR_MS - 1_000) == []
    assert len(desk.look()) == 1
    assert desk.look(_HOUR_MS - 1) == []
    assert len(desk.look(_HOUR_MS)) == 1


def test_without_synchronisation_there_are_no_anchors(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime(synced=False))
    assert desk.look(3 * _HOUR_MS) == []
    assert not desk.file.exists()


def test_a_reading_that_found_no_room_is_offered_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    desk.hub.room = False
    assert desk.look() == []
    assert desk.look(30_000) == []
    assert desk.hub.offered == 1
    desk.hub.room = True
    assert len(desk.look(30_000)) == 1
    assert desk.look(60_000) == []


def test_losing_and_finding_synchronisation_is_told(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    desk.look()
    desk.time.synced = False
    assert desk.look() == []
    # The last good time vouches for it meanwhile.
    assert desk.clock.quality() == "held"
    desk.time.synced = True
    assert [reading.was for reading in desk.look()] == ["held"]


# ---- held or unset


@pytest.mark.parametrize(
    ("remembered", "wall_ms", "quality"),
    [
        (None, MORNING_MS, "unset"),
        (f"{MORNING_MS}\n", MORNING_MS, "held"),
        (f"{MORNING_MS}\n", MORNING_MS + 86_400_000, "held"),
        (f"{MORNING_MS}\n", MORNING_MS - 1, "unset"),
        (f"{MORNING_MS}\n", 5_000, "unset"),
        ("", MORNING_MS, "unset"),
        ("soon\n", MORNING_MS, "unset"),
    ],
)
def test_only_a_last_good_time_vouches(tmp_path: Path, remembered: str | None, wall_ms: int, quality: str) -> None:
    if remembered is not None:
        (tmp_path / "good-time").write_text(remembered)
    clock = Clock(tmp_path / "good-time", HandTime(wall_ms=wall_ms, synced=False))
    assert clock.quality() == quality
    assert clock.max_error_ms() is None


def test_the_kernel_is_asked_once_a_second(tmp_path: Path) -> None:
    source = HandTime()
    clock = Clock(tmp_path / "good-time", source)
    assert clock.quality() == "synced"
    assert clock.max_error_ms() == 12
    source.synced = False
    source.pass_ms(999)
    assert clock.quality() == "synced"
    source.pass_ms(1)
    assert clock.quality() == "unset"


# ---- the last good time on disk


def test_the_last_good_time_is_kept_and_recalled(tmp_path: Path) -> None:
    desk = Desk(tmp_path, HandTime())
    desk.look()
    assert int(desk.file.read_text()) == MORNING_MS + 1_000
    desk.look(299_000)
    assert int(desk.file.read_text()) == MORNING_MS + 1_000
    desk.look()
    assert int(desk.file.read_text()) == MORNING_MS + 301_000
    assert [path.name for path in tmp_path.iterdir()] == ["good-time"]
    # The power goes; the board has no battery.
    after = Clock(desk.file, HandTime(boot="boot-2", wall_ms=5_000, mono_ms=5_000, synced=False))
    assert after.quality() == "unset"
    held = Clock(desk.file, HandTime(boot="boot-2", wall_ms=MORNING_MS + 400_000, mono_ms=5_000, synced=False))
    assert held.quality() == "held"


def test_an_unsure_time_is_not_remembered(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time", HandTime(synced=False))
    clock.remember()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def full_disk() -> Path:
    """A place where every write finds the disk full."""
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("this kernel has no /dev/full")
    return Path("/dev/full")


def test_a_full_disk_keeps_the_older_good_time(tmp_path: Path, full_disk: Path) -> None:
    path = tmp_path / "good-time"
    path.write_text(f"{MORNING_MS - 1}\n")
    path.with_suffix(".new").symlink_to(full_disk)
    clock = Clock(path, HandTime())
    clock.remember()
    assert path.read_text() == f"{MORNING_MS - 1}\n"
    # What this process knows is newer than what the disk could take.
    assert clock.quality() == "synced"


def test_a_folder_that_is_gone_does_no_harm(tmp_path: Path) -> None:
    Clock(tmp_path / "gone" / "good-time", HandTime()).remember()


# ---- stamps


def test_a_moment_ago_is_named_by_the_clock_that_is_right_now(tmp_path: Path) -> None:
    source = HandTime(wall_ms=5_000, mono_ms=5_000, synced=False)
    clock = Clock(tmp_path / "good-time", source)
    source.pass_ms(2_000)
    source.set_wall(MORNING_MS, synced=True)
    assert clock.stamp_at(5_000 * 1_000_000) == Stamp("boot-1", 5_000, MORNING_MS - 2_000, "synced")
    assert clock.now_ms() == MORNING_MS
    assert clock.offset_ms() == MORNING_MS - 7_000


class Interrupted(HandTime):
    """The process is put aside between two readings, the first times that it reads."""

    def __init__(self, times: int, aside_ms: int) -> None:
        super().__init__()
        self.times, self.aside_ms = times, aside_ms

    def realtime_ns(self) -> int:
        """See TimeSource."""
        if self.times:
            self.times -= 1
            self.pass_ms(self.aside_ms)
        return super().realtime_ns()


@pytest.mark.parametrize("times", [0, 1, 3])
def test_two_clocks_that_were_read_apart_are_read_again(tmp_path: Path, times: int) -> None:
    clock = Clock(tmp_path / "good-time", Interrupted(times, 700))
    assert clock.offset_ms() == MORNING_MS - 60_000


def test_a_machine_that_is_always_late_gets_the_middle(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time", Interrupted(10**6, 700))
    assert abs(clock.offset_ms() - (MORNING_MS - 60_000)) <= 350


# ---- the kernel


def test_the_kernels_clocks() -> None:
    kernel = KernelTime()
    assert len(kernel.boot_id()) == 36
    assert kernel.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    first, second = kernel.boottime_ns(), kernel.boottime_ns()
    assert 0 < first <= second
    assert abs(kernel.realtime_ns() - time.time_ns()) < 60 * 10**9
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(first / 1e9 - uptime_s) < 60


def test_what_adjtimex_says_is_sane() -> None:
    _, error_ms = KernelTime().synchronised()
    # The kernel lets the greatest error grow to 16 s (NTP_PHASE_LIMIT) while nobody disciplines the clock.
    assert 0 <= error_ms <= 16_000


def test_a_clock_over_the_kernel(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "good-time")
    stamp = clock.stamp()
    assert stamp.boot == KernelTime().boot_id()
    assert abs(stamp.at_ms - time.time_ns() // 10**6) < 60_000
    assert stamp.clock in ("synced", "held", "unset")
    assert (clock.max_error_ms() is None) == (stamp.clock != "synced")


def test_a_watch_runs_until_it_is_cancelled(tmp_path: Path) -> None:
    async def journey() -> None:
        desk, kept = Desk(tmp_path, HandTime()), asyncio.Semaphore(0)

        async def keep(kind: str, reading: ClockReading, stamp: Stamp) -> bool:
            kept.release()
            return await desk.hub.keep(kind, reading, stamp)

        running = asyncio.create_task(Watch(desk.clock, keep).run())
        async with asyncio.timeout(60):
            await kept.acquire()
            desk.time.set_wall(MORNING_MS * 2)
            await kept.acquire()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [reading.step_ms for reading, _ in desk.hub.told] == [0, MORNING_MS]

    asyncio.run(journey())
