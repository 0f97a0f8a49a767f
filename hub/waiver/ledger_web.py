"""Pages of the ledger: the journal with its filters, and one entry with all that tells how it came about."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import pages
from hub.db import Connection
from hub.guard import Who, need
from hub.waiver import ledger, ledger_store, register_store
from hub.waiver.ledger_store import Which
from hub.words import WORDS

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Month = Annotated[str, Query(pattern=r"^([12][0-9]{3}-(0[1-9]|1[0-2]))?$")]
Word = Annotated[str, Query(max_length=40)]
PAGE_SIZE = 50
# The kinds of entries that a filter offers; others are shown by their own word.
KINDS = ("bill", "difference", "assess", "waive", "receipt", "pay", "benefit_use", "correction", "reversal")


@router.get("/waiver/ledger")
def journal(  # noqa: PLR0913 (a filter is an address)
    request: Request,
    who: Seer,
    *,
    month: Month = "",
    area: Word = "",
    kind: Word = "",
    account: Word = "",
    phone: Word = "",
    resident: Word = "",
    before: pages.Before = None,
) -> Response:
    """The journal, the newest entry first."""
    chosen = {"month": month, "area": area, "kind": kind, "account": account, "phone": phone, "resident": resident}

    def gather(conn: Connection) -> dict[str, Any]:
        which = _which(conn, chosen, before)
        found = ledger_store.entries(conn, which, PAGE_SIZE + 1)
        return {
            "entries": found[:PAGE_SIZE],
            "more": len(found) > PAGE_SIZE,
            "balances": ledger_store.balances(conn, area=area, through=month or "9999-12"),
            "closings": ledger_store.closings(conn, area)[:13],
            "empty": not found and not ledger_store.head(conn)[0],
        }

    known = request.app.state.db.read(gather)
    given = {key: value for key, value in chosen.items() if value}
    words: dict[str, Any] = {"kinds": KINDS, "areas": ledger.AREAS, "accounts": ledger.ACCOUNTS, "known": WORDS}
    return pages.page(request, "ledger.html", who, chosen=chosen, given=given, before=before, **words, **known)


def _which(conn: Connection, chosen: dict[str, str], before: int | None) -> Which:
    line = register_store.line_by_phone(conn, chosen["phone"]) if chosen["phone"] else None
    resident = register_store.resident_by_number(conn, chosen["resident"]) if chosen["resident"] else None
    return Which(
        area=chosen["area"],
        month=chosen["month"],
        kind=chosen["kind"],
        account=chosen["account"],
        # A number that nobody has finds nothing.
        line_id=(line.id if line else 0) if chosen["phone"] else None,
        resident_id=(resident.id if resident else 0) if chosen["resident"] else None,
        before=before,
    )


@router.get("/waiver/ledger/{seq}")
def one(request: Request, who: Seer, seq: int) -> Response:
    """One entry: its legs, what it stands on, what has taken it back or put it right, its place in the chain."""

    def gather(conn: Connection) -> dict[str, Any]:
        found = ledger_store.entry(conn, seq) if 0 < seq <= pages.LAST_ID else None
        if found is None:
            raise HTTPException(404)
        return {
            "one": found,
            "corrected_by": ledger_store.corrected_by(conn, seq),
            "closing": next(
                (made for made in ledger_store.closings(conn, found.entry.area) if made.month == found.entry.month),
                None,
            ),
            "head": ledger_store.head(conn)[0],
        }

    known = request.app.state.db.read(gather)
    return pages.page(request, "ledger_entry.html", who, known=WORDS, **known)
