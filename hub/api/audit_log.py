"""The audit log: to read, and to verify."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from hub import anchors, audit, chain
from hub.api.gate import Caller, scope
from hub.api.model import Limit, Model, NumberCursor, Page, number_of, part

router = APIRouter(tags=["audit"])
Reader = Annotated[Caller, Depends(scope("audit:read"))]


class Entry(Model):
    """Who did what to what."""

    id: int
    at_ms: int
    who: str
    did: str
    what: str
    detail: str


class Verified(Model):
    """Whether the log is whole: how many entries hold together, and what is wrong with the first that does not."""

    whole: bool
    entries: int
    anchors: int
    said: str


@router.get("/audit")
def entries(
    request: Request,
    caller: Reader,
    who: Annotated[str, Query(max_length=80, description="Only what this person did.")] = "",
    cursor: NumberCursor = None,
    limit: Limit = 50,
) -> Page[Entry]:
    """Entries, newest first."""
    before = number_of(cursor)
    rows = request.app.state.db.read(lambda conn: audit.entries(conn, limit + 1, before, who))
    found = [
        Entry(id=row.id, at_ms=row.at_ms, who=row.who, did=row.did, what=row.what, detail=row.detail) for row in rows
    ]
    return part(found, limit, [str(one.id) for one in found])


@router.get("/audit/verification")
def verify(request: Request, caller: Reader) -> Verified:
    """Goes through the whole chain and its anchors."""
    state = request.app.state
    place = anchors.folder_of(Path(state.settings.state_dir))
    held, broken, looked_at = state.db.read(lambda conn: anchors.check(conn, place, state.signing.public))
    said = chain.told(held, broken, looked_at)
    return Verified(whole=broken is None, entries=held, anchors=looked_at, said=said)
