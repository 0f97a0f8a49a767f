"""A resident's statement: what was assessed, waived and paid, month by month, and what is open."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.db import Connection
from hub.guard import Who, need
from hub.inventory import store as inventory
from hub.waiver import receipt_store, register_store, statement_paper
from hub.waiver.register import Resident
from hub.waiver.register_form import shown_phone
from hub.waiver.statement import Statement

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
_RECEIPTS = 12


@router.get("/waiver/residents/{number}/statement")
def statement(request: Request, who: Seer, number: int) -> Response:
    """Everything of one resident, the latest month first."""

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "resident": _resident(conn, number),
            "names_kept": inventory.names_kept(conn),
            "account": receipt_store.account(conn, number),
            "receipts": receipt_store.receipts(conn, resident_id=number, limit=_RECEIPTS),
            "reminders": receipt_store.reminders(conn, number),
        }

    known = request.app.state.db.read(gather)
    return pages.page(request, "statement.html", who, phone=shown_phone, **known)


@router.get("/waiver/residents/{number}/statement.pdf")
def statement_pdf(request: Request, who: Seer, number: int) -> Response:
    """The same as a paper."""

    def gather(conn: Connection) -> tuple[Resident, str, Statement]:
        resident = _resident(conn, number)
        name = resident.name if inventory.names_kept(conn) else ""
        return resident, name, receipt_store.account(conn, number)

    resident, name, account = request.app.state.db.read(gather)
    headers = {"Content-Disposition": f'inline; filename="statement-{resident.id}.pdf"'}
    content = statement_paper.paper(resident.number, name, account)
    return Response(content, media_type="application/pdf", headers=headers)


def _resident(conn: Connection, number: int) -> Resident:
    found = register_store.resident(conn, number) if 0 < number <= pages.LAST_ID else None
    if found is None:
        raise HTTPException(404)
    return found
