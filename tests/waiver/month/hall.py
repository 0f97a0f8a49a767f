"""A hub's database with a made-up town in it, and two people who close its months."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hub.db import Db
from hub.waiver import closing, outlook
from hub.waiver.closing import Refused
from hub.waiver.ledger_store import Closing
from hub.waiver.outlook import Outlook
from tests.waiver.month import filled, model
from tests.waiver.month.model import CARRIERS, Line

ASKS, APPROVES = "hanako", "taro"


class Hall(NamedTuple):
    """A town hall: its database, and the town as it was made up."""

    db: Db
    town: list[Line]

    def bills(self, month: str) -> None:
        """The bills of a month arrive."""
        for carrier in CARRIERS:
            self.db.write_now(lambda conn, carrier=carrier: filled.bill(conn, self.town, month, carrier))  # type: ignore[misc]

    def look(self, month: str) -> Outlook:
        """The month as it is."""
        return self.db.read(lambda conn: outlook.look(conn, month, after(month)))

    def close(self, month: str, note: str = "") -> Closing | Refused:
        """Asked for and approved, on the twentieth of the month after."""
        found = self.look(month)
        asked = self.db.write_now(lambda conn: closing.ask(conn, month, found.fingerprint, note, ASKS, after(month)))
        if isinstance(asked, str):
            return asked
        return self.db.write_now(lambda conn: closing.approve(conn, month, APPROVES, after(month)))


def after(month: str) -> int:
    """The twentieth of the month after."""
    return filled.at_ms(f"{model.months_from(month, 2)[1]}-20", 9)


def hall(folder: Path, lines: int, months: Iterable[str], *, seed: int = 1, order: int = 0) -> Hall:
    """A town of so many lines, with what its tablets counted in these months."""
    town = model.town(lines, seed)
    db = Db(folder / "hub.db")
    db.open()
    db.write_now(lambda conn: filled.registers(conn, town, order))
    db.write_now(lambda conn: filled.hear(conn, filled.usage(town, months)))
    return Hall(db, town)
