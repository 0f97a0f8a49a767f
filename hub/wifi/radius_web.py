"""Other makers' access points: their page, and the call that takes RADIUS accounting."""

import base64
import binascii
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import audit, pages
from hub.db import Connection
from hub.guard import Guard, Who, fields, fresh, need
from hub.wifi import radius_record, radius_store
from hub.wifi.radius_intake import Answer, Intake
from hub.wifi.radius_record import BadRecord

router = APIRouter()

Seer = Annotated[Who, Depends(need("wifi"))]
SureRuler = Annotated[Who, Depends(fresh("wifi_rules"))]
Ruler = Annotated[Who, Depends(need("wifi_rules"))]
Sent = Annotated[dict[str, str], Depends(fields("name", "place"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]

PAGE = "/wifi/radius"
# A packet has at most 4,096 octets (RFC 2866, 3); as JSON, with each attribute's name and type, some times that.
_BODY_BYTES = 32_768
_LENGTH = 80
# 503: the RADIUS server does not answer its NAS then, which sends again.
_CODES: dict[Answer, int] = {"taken": 204, "unknown": 401, "busy": 503, "failed": 503}


async def _door(request: Request) -> None:
    guard: Guard = request.app.state.guard
    if not guard.own_origin(request):
        raise HTTPException(403, "csrf")


# Open to all who hold a token, which is looked at in the transaction that takes the record in.
_door.need = "public"  # type: ignore[attr-defined]


@router.post("/radius/accounting", dependencies=[Depends(_door)])
async def accounting(request: Request) -> Response:
    """One packet of accounting, as rlm_rest sends it: 204 when it is on disk, and never before."""
    token = _token(request.headers.get("authorization", ""))
    if token is None:
        return _said(401, "expected the token of an access point, as Bearer, or as the password of Basic")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _BODY_BYTES:
            return _said(413, f"expected at most {_BODY_BYTES} bytes")
    try:
        said = radius_record.read(radius_record.attributes(body), pages.now_ms())
    except BadRecord as error:
        return _said(400, str(error))
    intake: Intake = request.app.state.radius_intake
    answer = await intake.take(token, said)
    if answer == "taken":
        return Response(status_code=204)
    return _said(_CODES[answer], "the token is not known, or was withdrawn" if answer == "unknown" else "come again")


def _said(code: int, sentence: str) -> Response:
    headers = {"WWW-Authenticate": 'Bearer, Basic realm="machinaka"'} if code == 401 else {}
    return Response(sentence + "\n", code, headers, "text/plain; charset=utf-8")


def _token(header: str) -> str | None:
    """The token of an `Authorization` header; None for anything that can be none."""
    way, _, text = header.partition(" ")
    if way.lower() == "basic":
        try:
            text = base64.b64decode(text, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError, ValueError):
            return None
    elif way.lower() != "bearer":
        return None
    return text if radius_store.TOKEN.fullmatch(text) else None


# ---- the page


class Made(msgspec.Struct, frozen=True):
    """A client that was just made: its token is nowhere else from now on."""

    name: str
    token: str


@router.get(PAGE)
def clients(request: Request, who: Seer) -> Response:
    """All of them, and how one is joined."""
    return _page(request, who)


@router.post(PAGE)
def make(request: Request, who: SureRuler, sent: Sent) -> Response:
    """A new one, whose token is shown once."""
    name, place = (" ".join(sent.get(field, "").split())[:_LENGTH] for field in ("name", "place"))
    now_ms = pages.now_ms()

    def write(conn: Connection) -> str:
        if radius_store.by_name(conn, name):
            return ""
        audit.note(conn, now_ms, who.person.name, "radius_client", name, place)
        return radius_store.make(conn, name, place, now_ms, who.person.name)

    token = request.app.state.db.write_now(write) if name else ""
    if not token:
        error = "radius_taken" if name else "radius_no_name"
        return _page(request, who, 422, error=error, form=sent)
    return _page(request, who, made=Made(name, token))


@router.post("/wifi/radius/{number}/withdraw")
def withdraw(
    request: Request, who: Ruler, sent: Annotated[dict[str, str], Depends(fields())], number: Number
) -> Response:
    """Its token is good for nothing any more."""
    now_ms = pages.now_ms()

    def write(conn: Connection) -> None:
        client = radius_store.one(conn, number)
        if client is None:
            raise HTTPException(404)
        if radius_store.withdraw(conn, number, now_ms):
            audit.note(conn, now_ms, who.person.name, "radius_client_withdrawn", client.name)

    request.app.state.db.write_now(write)
    return pages.to(PAGE)


def _page(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    found = {
        "clients": request.app.state.db.read(radius_store.clients),
        "address": f"{request.app.state.settings.url}/radius/accounting",
        "length": _LENGTH,
        "made": None,
        "error": "",
        "form": {},
    }
    return pages.page(request, "wifi_radius.html", who, status, **{**found, **values})
