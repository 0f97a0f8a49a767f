"""The audit log, to read."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import audit, pages
from hub.access import ROLES
from hub.guard import Who, need

router = APIRouter()

Auditor = Annotated[Who, Depends(need("audit"))]

_ON_A_PAGE = 100


@router.get("/settings/audit")
def audit_page(request: Request, who: Auditor, before: pages.Before = None, by: str = "") -> Response:
    """What was done, newest first."""
    lines = request.app.state.db.read(lambda conn: audit.entries(conn, _ON_A_PAGE, before, by.strip()))
    return pages.page(
        request, "audit.html", who, lines=lines, roles=ROLES, by=by.strip(), before=before, page_size=_ON_A_PAGE
    )
