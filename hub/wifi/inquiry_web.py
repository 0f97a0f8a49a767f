"""Pages of lawful inquiries: entered by one person, decided by another, the extract handed out once."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path as Folder
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import audit, pages, shown
from hub.audit import Did
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.wifi import inquiry, inquiry_store, keys, purge_store, retention
from hub.wifi.inquiry import BASES, Act, Inquiry
from hub.wifi.inquiry_store import Sealed, Session
from hub.words import Language, word

router = APIRouter()

Seer = Annotated[Who, Depends(need("inquiry"))]
SureSeer = Annotated[Who, Depends(fresh("inquiry"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
_TYPED = ("authority", "reference", "basis", "place", "day", "from", "until", "guests", "contacts")
Entered = Annotated[dict[str, str], Depends(fields(*_TYPED))]
Decided = Annotated[dict[str, str], Depends(fields("do", "why"))]

PAGE = "/wifi/inquiries"
_ON_A_PAGE = 50
_DID: dict[Act, Did] = {"approve": "inquiry_approve", "refuse": "inquiry_refuse", "hand_out": "inquiry_hand_out"}


class _Contact(msgspec.Struct):
    """Of what was sealed, what tells who it is; the code that was sent is nobody's business."""

    email: str = ""


_contact = msgspec.json.Decoder(_Contact)


@router.get(PAGE)
def inquiries(request: Request, who: Seer, before: pages.Before = None) -> Response:
    """All of them, and what the town can and cannot know."""
    return _list(request, who, before=before)


@router.post(PAGE)
def enter(request: Request, who: SureSeer, sent: Entered) -> Response:
    """A new one, which somebody else decides."""
    now_ms = pages.now_ms()
    one = _typed(sent, who.person.name, now_ms)
    error = "time" if one is None else inquiry.wrong(one, now_ms)
    if one is None or error:
        return _list(request, who, 422, error=error, form=sent)

    def write(conn: Connection) -> int:
        number = inquiry_store.enter(conn, one)
        audit.note(conn, now_ms, who.person.name, "inquiry_enter", f"#{number}", f"{one.authority} {one.reference}")
        return number

    return pages.to(f"{PAGE}/{request.app.state.db.write_now(write)}")


@router.get(f"{PAGE}/{{number}}")
def one_inquiry(request: Request, who: Seer, number: Number) -> Response:
    """One."""
    return _one(request, who, number)


@router.post(f"{PAGE}/{{number}}")
def act(request: Request, who: SureSeer, sent: Decided, number: Number) -> Response:
    """Approves or refuses another person's, or hands out the extract of one's own."""
    do: Act | None = next((known for known in _DID if known == sent.get("do")), None)
    if do is None:
        raise HTTPException(400)
    why = " ".join(sent.get("why", "").split())[: inquiry.REASON_LENGTH]
    if do == "refuse" and not why:
        return _one(request, who, number, 422, error="why")
    now_ms, folder = pages.now_ms(), keys.folder_of(Folder(request.app.state.settings.state_dir))
    language = pages.language_of(request)

    def write(conn: Connection) -> bytes:
        found = inquiry_store.one(conn, number)
        if found is None:
            raise HTTPException(404)
        if not inquiry.may(found, do, who.person.name, now_ms):
            raise HTTPException(409)
        if do != "hand_out":
            inquiry_store.decide(
                conn, number, "approved" if do == "approve" else "refused", why, who.person.name, now_ms
            )
            audit.note(conn, now_ms, who.person.name, _DID[do], f"#{number}", why)
            return b""
        sealed = inquiry_store.contacts(conn, found.from_ms, found.until_ms) if found.opens_contacts else {}
        rows = [
            _row(found, session, sealed.get(session.agreed_in), folder) for session in _sessions(conn, found, now_ms)
        ]
        content = bytes(pages.table_file("x", _headings(found, language), rows).body)
        digest = hashlib.sha256(content).hexdigest()
        inquiry_store.hand_out(conn, number, len(rows), digest, who.person.name, now_ms)
        audit.note(conn, now_ms, who.person.name, _DID[do], f"#{number}", f"{len(rows)} {digest}")
        return content

    content = request.app.state.db.write_now(write)
    if do != "hand_out":
        return pages.to(f"{PAGE}/{number}")
    headers = {"Content-Disposition": f'attachment; filename="inquiry-{number}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


# ---- what is typed


def _typed(sent: dict[str, str], who: str, now_ms: int) -> Inquiry | None:
    """As it was typed; None when its times are none. Raises HTTPException for a basis that is none."""
    basis = next((known for known in BASES if known == sent.get("basis")), None)
    if basis is None:
        raise HTTPException(400)
    from_ms, until_ms = (_moment(sent.get("day", ""), sent.get(name, "")) for name in ("from", "until"))
    if from_ms is None or until_ms is None:
        return None
    if until_ms <= from_ms:
        # Over midnight: until a time of the next day.
        until_ms += retention.DAY_MS
    authority, reference, place = (
        " ".join(sent.get(name, "").split())[: inquiry.LENGTH] for name in ("authority", "reference", "place")
    )
    return Inquiry(
        *(0, authority, reference, basis, place, from_ms, until_ms, now_ms, who),
        guests=sent.get("guests") == "yes",
        contacts=sent.get("contacts") == "yes",
    )


def _moment(day: str, clock: str) -> int | None:
    try:
        return int(datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M").replace(tzinfo=shown.JST).timestamp()) * 1000
    except (ValueError, OverflowError):
        return None


# ---- the extract


def _sessions(conn: Connection, one: Inquiry, now_ms: int) -> list[Session]:
    """Nothing that is overdue is told, were it still there."""
    before_ms = retention.cut(now_ms, purge_store.setting(conn).keep_days).before_ms
    found = inquiry_store.sessions(conn, one.place, one.from_ms, one.until_ms)
    return [session for session in found if session.last_ms >= before_ms]


def _headings(one: Inquiry, language: Language) -> list[str]:
    names = ["network", "began", "last", "open", "up", "down"]
    names += ["guest"] * one.guests + ["contact"] * one.opens_contacts
    return [word(language, f"inquiry_head_{name}") for name in names]


def _row(one: Inquiry, session: Session, sealed: Sealed | None, folder: Folder) -> list[object]:
    """Only what was asked for, and what its ground allows."""
    row: list[object] = [session.network, _iso(session.began_ms), _iso(session.last_ms), int(session.is_open)]
    row += [session.up_bytes, session.down_bytes]
    if one.guests:
        row.append(session.guest or "")
    if one.opens_contacts:
        row.append(_opened(sealed, session.agreed_in, folder) if sealed else "")
    return row


def _opened(sealed: Sealed, agreed_in: str, folder: Folder) -> str:
    opened = keys.open_contact(folder, sealed.key, sealed.contact, agreed_in)
    try:
        return _contact.decode(opened).email if opened else ""
    except msgspec.MsgspecError:
        return ""


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(shown.JST).isoformat(timespec="seconds")


# ---- pages


def _list(request: Request, who: Who, status: int = 200, **values: Any) -> Response:
    now_ms, before = pages.now_ms(), values.pop("before", None)

    def look(conn: Connection) -> dict[str, Any]:
        found = inquiry_store.everything(conn, _ON_A_PAGE, before)
        return {
            "inquiries": [(one, inquiry.state(one, now_ms)) for one in found],
            "places": inquiry_store.places(conn),
            "keep_days": purge_store.setting(conn).keep_days,
        }

    known = {"error": "", "form": {}, "bases": BASES, "page_size": _ON_A_PAGE, "length": inquiry.LENGTH}
    found = request.app.state.db.read(look)
    return pages.page(request, "wifi_inquiries.html", who, status, **{**known, **found, **values})


def _one(request: Request, who: Who, number: int, status: int = 200, error: str = "") -> Response:
    now_ms = pages.now_ms()
    one = request.app.state.db.read(lambda conn: inquiry_store.one(conn, number))
    if one is None:
        raise HTTPException(404)
    name = who.person.name
    return pages.page(
        *(request, "wifi_inquiry.html", who, status),
        one=one,
        state=inquiry.state(one, now_ms),
        ends_ms=(one.decided_ms or one.asked_ms) + inquiry.OPEN_MS,
        of_a_court=one.basis in inquiry.OF_A_COURT,
        may_decide=inquiry.may(one, "approve", name, now_ms),
        may_hand_out=inquiry.may(one, "hand_out", name, now_ms),
        is_own=name == one.asked_by,
        error=error,
        length=inquiry.REASON_LENGTH,
    )
