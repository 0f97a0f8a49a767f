"""An access point's guests, to be killed at any moment: `state kernel boot seed`. Says on its output what it promised.

The kernel's table lies in a file of its own, because a kernel outlives the processes on it.
"""

import asyncio
import contextlib
import json
import random
import sys
from pathlib import Path

from edge_agent.clock import Clock, KernelTime
from edge_agent.effective import Effective, Holder
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.firewall import Counted, Limits
from edge_agent.wifi.guests import Guests, Refused
from edge_agent.wifi.kit_task import KitHolder
from tests.wifi.sessions.parts import AP, CLICK, Kernel

ADDRESSES = [f"02:00:5e:10:01:{number:02x}" for number in range(24)]


class BootTime(KernelTime):
    """The machine's clocks, with a boot of the test's choosing."""

    def __init__(self, boot: str) -> None:
        super().__init__()
        self._boot_id = boot

    @property
    def mono_ms(self) -> int:
        """Milliseconds since boot."""
        return self.boottime_ns() // 1_000_000


class FileKernel(Kernel):
    """A kernel's table that is still there when this process is not."""

    def __init__(self, path: Path, time: BootTime) -> None:
        super().__init__(time)
        self._path = path
        if path.exists():
            kept = json.loads(path.read_text())
            self._of = {int(mark): (at, ends) for mark, (at, ends) in kept["of"].items()}
            self._used = {int(mark): Counted(*used) for mark, used in kept["used"].items()}

    def use(self, address: str, up: int, down: int) -> bool:
        """See Kernel."""
        passed = super().use(address, up, down)
        self._save()
        return passed

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits) -> None:
        """See Gate."""
        await super().admit(address, mark, seconds, limits)
        self._save()

    async def remove(self, mark: int) -> Counted:
        """See Gate."""
        used = await super().remove(mark)
        self._save()
        return used

    def _save(self) -> None:
        used = {mark: (one.up_bytes, one.down_bytes) for mark, one in self._used.items()}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps({"of": self._of, "used": used}))
        new.replace(self._path)


def make(state: Path, table: Path, boot: str) -> tuple[Guests, FileKernel, AsyncSpool]:
    """The guests, their kernel and their spool."""
    time = BootTime(boot)
    clock = Clock(state / "good-time", time)
    spool = AsyncSpool(lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=clock.stamp))
    settings = Settings(device=AP, kind="access_point", state_dir=str(state))
    kernel = FileKernel(table, time)
    kit = KitHolder(settings, spool, clock)
    return Guests(settings, spool, clock, Holder(Effective()), kernel, kit), kernel, spool


async def _live(guests: Guests, kernel: FileKernel, chance: random.Random) -> None:
    while True:
        address = chance.choice(ADDRESSES)
        standing = guests.standing(address)
        what = chance.choice(["agree", "agree", "use", "use", "leave", "extend", "round"])
        if what == "agree":
            say("agreed", (await guests.agree(address, CLICK)).session)
        elif what == "use":
            kernel.use(address, chance.randrange(1000), chance.randrange(1000))
        elif what == "round":
            await guests.round()
            # What the round read is on the disk: a power cut from now on loses nothing of it.
            for at in ADDRESSES:
                now = guests.standing(at)
                if now is not None and now.bytes_left is not None:
                    say("counted", now.session, 1_000_000_000 - now.bytes_left)
        elif standing is not None and what == "leave":
            await guests.leave(address)
            say("left", standing.session)
        elif standing is not None and standing.extensions_left:
            with contextlib.suppress(Refused):
                say("extended", (await guests.extend(address)).session)


def say(*what: object) -> None:
    """A promise: it is out before anything else is done."""
    print(*what, flush=True)


async def main(state: Path, table: Path, boot: str, seed: int) -> None:
    """Until it is killed."""
    guests, kernel, _ = make(state, table, boot)
    await guests.restore()
    await guests.round()
    say("ready")
    await _live(guests, kernel, random.Random(seed))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
