"""The audit log: to read, to check, to take along."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from hub import anchors, audit, chain, pages, qr, shown
from hub.access import ROLES
from hub.chain import Anchor, Broken, Unreadable
from hub.db import Connection
from hub.guard import Who, fresh, need

router = APIRouter()

Auditor = Annotated[Who, Depends(need("audit"))]
AuditorFresh = Annotated[Who, Depends(fresh("audit"))]

_ON_A_PAGE = 100
_AT_ONCE = 1000


@router.get("/settings/audit")
def audit_page(
    request: Request,
    who: Auditor,
    before: pages.Before = None,
    by: str = "",
    check: bool = False,  # noqa: FBT001, FBT002 (a field of the address)
) -> Response:
    """What was done, newest first; with the newest anchor to print, and whether all is as it was written."""
    by = by.strip()
    lines = request.app.state.db.read(lambda conn: audit.entries(conn, _ON_A_PAGE, before, by))
    anchor = None if before or by else _newest(request)
    return pages.page(
        request,
        "audit.html",
        who,
        lines=lines,
        roles=ROLES,
        by=by,
        before=before,
        page_size=_ON_A_PAGE,
        anchor=anchor,
        image=qr.image(chain.anchor_line(anchor)) if anchor else "",
        found=_check(request) if check else None,
    )


def _folder(request: Request) -> Path:
    return anchors.folder_of(Path(request.app.state.settings.state_dir))


def _newest(request: Request) -> Anchor | None:
    try:
        return anchors.newest(_folder(request))
    except (OSError, Unreadable):
        # What is wrong with it is told where it is checked.
        return None


def _check(request: Request) -> tuple[int, Broken | None, int] | str:
    state = request.app.state
    try:
        found: tuple[int, Broken | None, int] = state.db.read(
            lambda conn: anchors.check(conn, _folder(request), state.signing.public)
        )
    except (OSError, Unreadable) as error:
        return str(error)
    return found


@router.get("/settings/audit/export")
def export(request: Request, who: AuditorFresh) -> StreamingResponse:
    """The whole log, a line of JSON an entry, as `chain.py` checks it without the hub."""
    db, now = request.app.state.db, pages.now_ms()
    db.write_now(lambda conn: audit.note(conn, now, who.person.name, "export_audit"))
    name = f"audit-{shown.moment(now):%Y-%m-%d}.jsonl"

    def lines() -> Iterator[bytes]:
        after = 0
        while part := db.read(partial(_part, after)):
            yield b"".join(chain.line_of(link) for link in part)
            after = part[-1].seq

    return StreamingResponse(
        lines(),
        media_type="application/jsonl; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _part(after: int, conn: Connection) -> list[chain.Link]:
    return list(audit.links(conn, after, _AT_ONCE))
