"""A hub's database with a made-up town in it, and two people who close its months."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from hub.db import Db
from hub.waiver import bill_look, closing, outlook
from hub.waiver.closing import Refused
from hub.waiver.ledger_store import Closing
from hub.waiver.month_store import Ask
from hub.waiver.outlook import Outlook
from tests.waiver.month import filled, model, oracle
from tests.waiver.month.model import CARRIERS, Line

ASKS, APPROVES = "hanako", "taro"


class Hall(NamedTuple):
    """A town hall: its database, and the town as it was made up."""

    db: Db
    town: list[Line]

    def bills(self, month: str, *, early: bool = False) -> None:
        """The bills of a month arrive; `early`: before what the tablets counted."""
        for carrier in (one for one in CARRIERS if any(line.carrier == one for line in self.town)):
            self.db.write_now(
                lambda conn, carrier=carrier: filled.bill(conn, self.town, month, carrier, early=early)  # type: ignore[misc]
            )

    def judge_again(self, month: str) -> int:
        """The bills that were compared before something changed are compared again; how many."""
        stale = self.look(month).stale_bills
        for bill in stale:
            self.db.write_now(lambda conn, bill=bill: bill_look.again(conn, bill, ASKS, after(month)))  # type: ignore[misc]
        return len(stale)

    def look(self, month: str) -> Outlook:
        """The month as it is."""
        return self.db.read(lambda conn: outlook.look(conn, month, after(month)))

    def ask(self, month: str, who: str = ASKS, note: str = "") -> Ask | Refused:
        """Somebody asks to close it, on the twentieth of the month after."""
        found = self.look(month)
        return self.db.write_now(lambda conn: closing.ask(conn, month, found.fingerprint, note, who, after(month)))

    def close(self, month: str, note: str = "") -> Closing | Refused:
        """Asked for and approved."""
        asked = self.ask(month, note=note)
        if isinstance(asked, str):
            return asked
        return self.db.write_now(lambda conn: closing.approve(conn, month, APPROVES, after(month)))


def fill_waivers(one: Hall, months: tuple[str, str]) -> None:
    """Two months, the first closed, before a waiver of it was revoked."""
    first, second = months
    one.db.write_now(lambda conn: filled.registers(conn, one.town))
    one.db.write_now(lambda conn: filled.hear(conn, filled.usage(one.town, months)))
    one.bills(first)
    done = one.close(first)
    assert isinstance(done, Closing), done
    line = revoked(one.town, first)
    one.db.write_now(lambda conn: filled.revoke(conn, line, f"{first}-01", "町決第90号"))
    one.bills(second)


def revoked(town: list[Line], month: str) -> Line:
    """A line on which something was waived in the month, and whose user has not changed."""
    of = oracle.month(town, month)
    return next(one for one in town if of[one.phone].waived and one.uses[-1].first == f"{month}-01")


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
