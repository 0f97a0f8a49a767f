"""Pages of the ledger: the journal with its filters, and one entry with all that tells how it came about."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import pages
from hub.db import Connection
from hub.guard import Who, need
from hub.staff.form import WrongValue
from hub.waiver import application_store, ledger, ledger_store, register_store
from hub.waiver.ledger import Booked
from hub.waiver.ledger_store import Which
from hub.waiver.register_form import phone as phone_of
from hub.waiver.register_form import plain, shown_phone
from hub.words import WORDS

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Month = Annotated[str, Query(pattern=r"^([12][0-9]{3}-(0[1-9]|1[0-2]))?$")]
Word = Annotated[str, Query(max_length=40)]
PAGE_SIZE = 50
# As `month.entry` makes the keys of what is assessed and waived.
_OF_MONTH = re.compile(r"(?:assess|waive):([12][0-9]{3}-[01][0-9]):([^:]+)")
# The kinds of entries that a filter offers; others are shown by their own word.
KINDS = ("bill", "difference", "assess", "waive", "receipt", "pay", "benefit_use", "reversal")


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
    return pages.page(
        request, "ledger.html", who, chosen=chosen, given=given, before=before, phone=shown_phone, **words, **known
    )


def _which(conn: Connection, chosen: dict[str, str], before: int | None) -> Which:
    line = register_store.line_by_phone(conn, _figures(chosen["phone"])) if chosen["phone"] else None
    resident = register_store.resident_by_number(conn, plain(chosen["resident"])) if chosen["resident"] else None
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


def _figures(text: str) -> str:
    try:
        return phone_of("line_phone", text)
    except WrongValue:
        return text


@router.get("/waiver/ledger/{seq}")
def one(request: Request, who: Seer, seq: int) -> Response:
    """One entry: its legs, what it stands on, what has taken it back or put it right, its place in the chain."""

    def gather(conn: Connection) -> dict[str, Any]:
        found = ledger_store.entry(conn, seq) if 0 < seq <= pages.LAST_ID else None
        if found is None:
            raise HTTPException(404)
        return {
            "one": found,
            "reasons": _reasons(found),
            "decisions": {
                leg.decision: application_store.of_decision(conn, leg.decision)
                for leg in found.entry.legs
                if leg.decision
            },
            "corrected_by": ledger_store.corrected_by(conn, seq),
            "closing": next(
                (made for made in ledger_store.closings(conn, found.entry.area) if made.month == found.entry.month),
                None,
            ),
            "head": ledger_store.head(conn)[0],
        }

    known = request.app.state.db.read(gather)
    return pages.page(request, "ledger_entry.html", who, known=WORDS, phone=shown_phone, **known)


def _reasons(one: Booked) -> str:
    """The address that says how an assessment or a waiver came about, step by step; empty for other entries."""
    found = _OF_MONTH.match(one.entry.key)
    return f"/waiver/line-month?{urlencode({'month': found[1], 'line': found[2]})}" if found else ""
