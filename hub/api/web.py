"""The page of tokens: made, shown once, revoked."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import audit, pages
from hub.api import scope, token_store
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Owner = Annotated[Who, Depends(need("tokens"))]
SureOwner = Annotated[Who, Depends(fresh("tokens"))]

Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
DAYS = (30, 90, 365)
_DAY_MS = 86_400_000
_LABEL_LENGTH = 80


class Fresh(msgspec.Struct, frozen=True):
    """A token that was just made: its text is nowhere else from now on."""

    label: str
    text: str


@router.get("/settings/tokens")
def tokens(request: Request, who: Owner) -> Response:
    """All tokens, and a form for a new one."""
    return _page(request, who)


@router.post("/settings/tokens")
def make(request: Request, who: SureOwner, form: Form) -> Response:
    """Makes a token with the scopes that were ticked, of those that its maker's own role covers."""
    label = " ".join(form.get("label", "").split())[:_LABEL_LENGTH]
    scopes = token_store.scopes_in(word.removeprefix("scope_") for word in form if word.startswith("scope_"))
    days = next((known for known in DAYS if str(known) == form.get("days")), 0)
    error = "token_no_label" if not label else "token_no_scope" if not scopes else "token_no_end" if not days else ""
    if error:
        return _page(request, who, error=error, form=form)
    if not set(scopes) <= set(scope.within(who.person.role)):
        raise HTTPException(403)

    def write(conn: Connection) -> str:
        now_ms = pages.now_ms()
        audit.note(conn, now_ms, who.person.name, "token_make", label, f"{' '.join(scopes)}; {days} d")
        return token_store.make(conn, label, who.person.id, scopes, now_ms, now_ms + days * _DAY_MS)

    return _page(request, who, made=Fresh(label, request.app.state.db.write_now(write)))


@router.post("/settings/tokens/{number}/revoke")
def revoke(request: Request, who: Owner, form: Form, number: Number) -> Response:
    """A token opens nothing any more."""

    def write(conn: Connection) -> None:
        token = token_store.one(conn, number)
        if token is None:
            raise HTTPException(404)
        if token_store.revoke(conn, number, pages.now_ms(), who.person.name):
            audit.note(conn, pages.now_ms(), who.person.name, "token_revoke", token.label, token.person)

    request.app.state.db.write_now(write)
    return pages.to("/settings/tokens")


def _page(
    request: Request, who: Who, *, error: str = "", form: dict[str, str] | None = None, made: Fresh | None = None
) -> Response:
    values: dict[str, Any] = {
        "tokens": request.app.state.db.read(token_store.everyone),
        "scopes": scope.within(who.person.role),
        "days": DAYS,
        "error": error,
        "form": form or {},
        "made": made,
        "now_ms": pages.now_ms(),
    }
    return pages.page(request, "tokens.html", who, 400 if error else 200, **values)
