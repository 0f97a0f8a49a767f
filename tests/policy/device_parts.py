"""What the device's tests of settings share: the agent's own task with a real spool, and a hub's signature."""

import asyncio
import contextlib
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.effective import Holder, of_settings
from edge_agent.policy.keep import Keep
from edge_agent.policy.task import Policy
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from hub.signing import Signing
from wire import codec
from wire.messages import Desired, Reported

WITHIN_S = 60.0
DEVICE = "terminal-1"
FIRST, LATER = "1" * 32, "2" * 32


class Well:
    """Whether the agent is well, as a test has it."""

    def __init__(self) -> None:
        self.trouble = ""

    async def __call__(self) -> str:
        return self.trouble


class Device:
    """A device's settings as the agent builds them."""

    def __init__(self, folder: Path, kind: str = "terminal", well: Callable[[], Any] | None = None) -> None:
        self.folder = folder
        self.settings = Settings(device=DEVICE, kind=kind, state_dir=str(folder))  # type: ignore[arg-type]
        self.clock = Clock(folder / "good-time")
        self.holder = Holder(of_settings(self.settings))
        self.well = Well()
        self.spool = AsyncSpool(
            lambda: Spool(folder / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.policy = Policy(self.settings, self.spool, self.clock, self.holder, well or self.well)

    async def reports(self) -> list[Reported]:
        """What it told, in order."""
        return [codec.decode_body("reported", one.body) for one in await self.spool.recent("reported", 1000)]

    async def told(self, is_so: Callable[[Reported], object]) -> Reported:
        """The latest report, as soon as it is so."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := await self.reports()) or not is_so(found[-1]):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        return found[-1]

    async def follows(self, desired: Desired) -> Reported:
        """What became of a desired state."""
        before = len(await self.reports())
        self.policy.take(desired)
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.reports()) == before or not _is_about(found[-1], desired):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
        return found[-1]

    async def has_told(self) -> None:
        """Waits until it has also noted that the hub was told: one that is killed before tells it once more."""
        async with asyncio.timeout(WITHIN_S):
            while Keep(self.folder / "policy").load().reported is None:  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)

    def actual(self) -> dict[str, Any]:
        """What the file says that people may edit."""
        return tomllib.loads(self.file.read_text())

    @property
    def file(self) -> Path:
        """The file that people may edit."""
        return self.folder / "actual.toml"

    def edit(self, old: str, new: str) -> None:
        """As somebody with an editor does."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


def _is_about(report: Reported, desired: Desired) -> bool:
    """Not one that was told once more after a restart."""
    return report.result == "refused" or (report.incarnation, report.seen) == (desired.incarnation, desired.generation)


class Office:
    """A hub's signature, and devices that know it."""

    def __init__(self, folder: Path) -> None:
        self.signing = Signing(folder / "office")

    def enrol(self, state_dir: Path) -> None:
        """Gives a device the public half."""
        identity = state_dir / "identity"
        identity.mkdir(parents=True, exist_ok=True)
        (identity / "orders.pub").write_text(self.signing.public + "\n")

    def desired(
        self, generation: int, document: dict[str, Any], incarnation: str = FIRST, device: str = DEVICE
    ) -> Desired:
        """Signed, as it comes down."""
        return self.signing.desired(device, incarnation, generation, document)


@contextlib.asynccontextmanager
async def running(folder: Path, kind: str = "terminal", well: Callable[[], Any] | None = None) -> AsyncIterator[Device]:
    """A device for the length of a `with`; it ends as a killed process does, without a word."""
    device = Device(folder, kind, well)
    device.policy.load()
    task = asyncio.create_task(device.policy.run())
    try:
        yield device
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        device.spool.close()
