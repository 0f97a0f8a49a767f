"""A resident's statement: what was assessed, waived and paid, month by month, and what is open."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.db import Connection
from hub.guard import Who, need
from hub.inventory import store as inventory
from hub.waiver import receipt_store, register_store
from hub.waiver.register_form import shown_phone

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
_RECEIPTS = 12


@router.get("/waiver/residents/{number}/statement")
def statement(request: Request, who: Seer, number: int) -> Response:
    """Everything of one resident, the latest month first."""

    def gather(conn: Connection) -> dict[str, Any]:
        resident = register_store.resident(conn, number) if 0 < number <= pages.LAST_ID else None
        if resident is None:
            raise HTTPException(404)
        return {
            "resident": resident,
            "names_kept": inventory.names_kept(conn),
            "account": receipt_store.account(conn, number),
            "receipts": receipt_store.receipts(conn, resident_id=number, limit=_RECEIPTS),
            "reminders": receipt_store.reminders(conn, number),
        }

    known = request.app.state.db.read(gather)
    return pages.page(request, "statement.html", who, phone=shown_phone, **known)
