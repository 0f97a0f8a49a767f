"""A device's own benefits: a purse as the hub would send it, on a real spool."""

from pathlib import Path

from edge_agent.clock import Clock, Stamp
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from tests.benefit.parts import HANA
from wire.purse import Allowance, Benefit, PurseContent

FAR_MS = 4_000_000_000_000
KEY = bytes(range(32))
TAXI = Benefit("taxi", "タクシー券", "Taxi voucher", "枚", "vouchers", 600)


class SetClock(Clock):
    """A clock that somebody has set, or nobody has."""

    def __init__(self, folder: Path, quality: str = "synced", at_ms: int = 0) -> None:
        super().__init__(folder / "good-time")
        self.said, self.at_ms = quality, at_ms

    def stamp(self) -> Stamp:
        """The same moment, of that quality."""
        stamp = super().stamp()
        return stamp._replace(clock=self.said, at_ms=self.at_ms or stamp.at_ms)  # type: ignore[arg-type]


def open_spool(folder: Path, max_bytes: int = 64 << 20) -> tuple[AsyncSpool, SetClock]:
    """A device's spool, and its clock."""
    folder.mkdir(parents=True, exist_ok=True)
    clock = SetClock(folder)
    spool = AsyncSpool(
        lambda: Spool(folder / "spool.db", max_bytes=max_bytes, ballast_bytes=1 << 10, stamp=clock.stamp)
    )
    return spool, clock


def content(
    limit: int, *, used: int = 0, balance: int = 0, until_ms: int = FAR_MS, id_: str = "taxi.1", card: str = HANA
) -> PurseContent:
    """A purse with one allowance."""
    return PurseContent(KEY, (TAXI,), (Allowance(id_, card, "taxi", limit, until_ms, balance or limit, used),))
