"""Pages of cards: all of them, those that belong to nobody, giving one out, and giving out many in a row.

A card is named by its label or by the first eight figures of its token, in addresses too.
"""

import re
from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import StreamingResponse

from hub import pages, shown
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.staff import acts, roster_store, store
from hub.staff.form import Wrong, WrongValue, text
from hub.staff.store import Card, CardHeld, Member
from hub.stream import stream

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("staff"))]
Id = Annotated[int, Query(ge=0, le=pages.LAST_ID)]

_DIGITS = 8
_PREFIX = re.compile("[0-9a-f]{8,32}")
_FOUND = 20
_QUEUE = 8
_PAUSE_S = 0.1
_DONE = ("lost", "found", "returned", "label", "issue", "undo", "no_tap", "cannot")


class Line(msgspec.Struct, frozen=True):
    """A card as it is now, and whose."""

    card: Card
    member: Member


def lines(conn: Connection) -> list[Line]:
    """Every card that anybody ever had, by label, in its latest hands."""
    members = store.members(conn)
    latest = {card.token: card for card in store.cards(conn)}
    found = [Line(card, members[card.staff_id]) for card in latest.values() if card.staff_id in members]
    return sorted(found, key=lambda line: (line.card.label == "", line.card.label, line.card.token))


@router.get("/staff/cards")
def cards(request: Request, who: Keeper, q: str = "", state: str = "", did: str = "", card: Id = 0) -> Response:
    """All cards; what was just done can be undone."""
    q = q.strip()[:60]

    def gather(conn: Connection) -> dict[str, Any]:
        known = lines(conn)
        found = [line for line in known if (not state or line.card.state == state) and _matches(line, q)]
        return {
            "lines": found,
            "total": len(known),
            "strangers": store.strangers(conn),
            "changed": store.card(conn, card) if card else None,
        }

    values = request.app.state.db.read(gather)
    done = did if did in _DONE else ""
    return pages.page(request, "staff_cards.html", who, q=q, asked_state=state, did=done, **values)


def _matches(line: Line, q: str) -> bool:
    return (
        not q
        or q in line.card.label
        or line.card.token.startswith(q.lower())
        or line.member.number.startswith(q)
        or q in line.member.name
    )


@router.post("/staff/cards")
def change(request: Request, who: Keeper, form: Form) -> Response:
    """A card is lost, found, back, or has another label; a hand-out that was wrong is taken back."""
    do, card_id = form.get("do", ""), _id(form, "card")
    if do not in ("lost", "found", "returned", "label", "undo"):
        raise HTTPException(400)

    def write(conn: Connection) -> bool:
        found = store.card(conn, card_id)
        if found is None:
            raise HTTPException(404)
        now_ms, person = pages.now_ms(), who.person.name
        if do == "label":
            acts.set_label(conn, now_ms, person, found, text("card_label", form.get("label", ""), needed=False))
            return True
        if do == "undo":
            return acts.undo_issue(conn, now_ms, person, found)
        return acts.change_card(conn, now_ms, person, found, do)

    try:
        done = request.app.state.db.write_now(write)
    except WrongValue:
        done = False
    back = pages.safe_next(form.get("back", "/staff/cards"))
    if not back.startswith("/staff"):
        back = "/staff/cards"
    return _back(back, did=do if done else "cannot", card=str(card_id))


def _back(path: str, **query: str) -> Response:
    address, _, old = path.partition("?")
    kept = dict(pair.split("=", 1) for pair in old.split("&") if "=" in pair)
    return pages.to(
        address, **{key: value for key, value in kept.items() if key not in query and "%" not in value}, **query
    )


def _id(form: dict[str, str], field: str) -> int:
    value = form.get(field, "")
    if not value.isascii() or not value.isdigit() or int(value) > pages.LAST_ID:
        raise HTTPException(400)
    return int(value)


# ---- cards that belong to nobody


@router.get("/staff/cards/unknown")
def unknown(request: Request, who: Keeper) -> Response:
    """Cards that were tapped and belong to nobody."""
    found = request.app.state.db.read(store.unknown_cards)
    return pages.page(request, "staff_unknown.html", who, cards=found)


@router.get("/staff/cards/give")
def give_page(request: Request, who: Keeper, card: str = "", q: str = "") -> Response:
    """Whom to give a card."""
    if not card:
        return pages.to("/staff/cards/unknown")
    return _give(request, who, card, q.strip()[:60])


def _give(
    request: Request,
    who: Who,
    digits: str,
    q: str,
    status: int = 200,
    form: dict[str, str] = {},  # noqa: B006
    wrong: list[Wrong] = [],  # noqa: B006
) -> Response:
    today = date.fromisoformat(shown.day_of(pages.now_ms()))

    def gather(conn: Connection) -> dict[str, Any]:
        stranger = _stranger(conn, digits)
        here = [one for one in store.members(conn).values() if one.employed_on(today)]
        has = {card.staff_id for card in store.cards(conn) if card.until_ms is None}
        found = [one for one in here if one.number.startswith(q) or q in one.name] if q else []
        without = [one for one in here if one.id not in has]
        return {
            "stranger": stranger,
            "found": (found if q else without)[:_FOUND],
            "more": len(found if q else without) > _FOUND,
            "kinds": [kind.name for kind in roster_store.kinds(conn)],
        }

    values = request.app.state.db.read(gather)
    first_ms = values["stranger"].first_ms
    filled = {"from": _local(first_ms), "label": "", "staff": "", "kind": "", **form}
    return pages.page(request, "staff_give.html", who, status, q=q, form=filled, wrong=wrong, **values)


def _stranger(conn: Connection, digits: str) -> store.Unknown:
    digits = digits.lower()
    found = store.strangers_like(conn, digits) if _PREFIX.fullmatch(digits) else []
    stranger = store.unknown_card(conn, found[0]) if len(found) == 1 else None
    if stranger is None:
        raise HTTPException(404)
    return stranger


def _local(at_ms: int) -> str:
    return shown.moment(at_ms).replace(tzinfo=None).isoformat(timespec="seconds")


def _moment_ms(text: str) -> int:
    """Raises WrongValue."""
    try:
        return int(datetime.fromisoformat(text).replace(tzinfo=shown.JST).timestamp()) * 1000
    except (ValueError, OverflowError):
        raise WrongValue(Wrong("card_from", text[:60], "moment")) from None


@router.post("/staff/cards/give")
def give(request: Request, who: Keeper, form: Form) -> Response:
    """Gives a card that was nobody's to somebody, its earlier taps from a moment on with it."""
    digits, q = form.get("card", ""), form.get("q", "").strip()[:60]
    staff_id = _id(form, "staff") if form.get("staff") else 0
    now_ms = pages.now_ms()

    def write(conn: Connection) -> int:
        found = _stranger(conn, digits)
        member = store.member(conn, staff_id)
        if member is None:
            raise WrongValue(Wrong("staff_number", "", "choose_staff"))
        from_ms = _moment_ms(form.get("from", ""))
        # The form's seconds are whole: a first tap within that second is meant too.
        from_ms = found.first_ms if from_ms == found.first_ms // 1000 * 1000 else from_ms
        label = text("card_label", form.get("label", ""), needed=False)
        kind = form.get("kind", "")[:40]
        return acts.issue(conn, now_ms, who.person.name, member, found.token, from_ms, label=label, kind=kind)

    try:
        card_id = request.app.state.db.write_now(write)
    except WrongValue as error:
        return _give(request, who, digits, q, 422, form, [error.wrong])
    return pages.to("/staff/cards", did="issue", card=str(card_id))


# ---- giving out many in a row


@router.get("/staff/cards/hand-out")
def hand_out(
    request: Request,
    who: Keeper,
    member: Id = 0,
    after: Id | None = None,
    did: str = "",
    card: Id = 0,
    department: str = "",
) -> Response:
    """The next person, and the newest card that was tapped at any terminal since this page was opened."""

    def gather(conn: Connection) -> dict[str, Any]:
        since = store.last_punch(conn) if after is None else after
        queue = _queue(conn, department)
        current = store.member(conn, member) if member else None
        current = current or (queue[0] if queue else None)
        following = [one for one in queue if current is None or one.number > current.number]
        changed = store.card(conn, card) if card else None
        return {
            "after": since,
            "current": current,
            "left": len(queue),
            "following": following[:_QUEUE],
            "departments": store.departments(conn),
            "kinds": [kind.name for kind in roster_store.kinds(conn)],
            "changed": changed,
            "changed_member": store.member(conn, changed.staff_id) if changed else None,
            "tapped": _tapped(conn, since, current.id if current else 0),
        }

    values = request.app.state.db.read(gather)
    done = did if did in _DONE else ""
    return pages.page(request, "staff_hand_out.html", who, did=done, department=department[:20], **values)


def _queue(conn: Connection, department: str) -> list[Member]:
    """Who works here, taps, and has no card, by number."""
    today = date.fromisoformat(shown.day_of(pages.now_ms()))
    has = {card.staff_id for card in store.cards(conn) if card.until_ms is None}
    return [
        one
        for one in store.members(conn).values()
        if one.employed_on(today) and one.id not in has and _taps(one, today, department)
    ]


def _taps(member: Member, today: date, department: str) -> bool:
    terms = member.terms_on(today)
    if terms is None:
        return not department
    return terms.tracked and department in ("", terms.department)


def _tapped(conn: Connection, after: int, staff_id: int) -> dict[str, Any]:
    """What the page says of the newest tap."""
    token = store.newest_tapped(conn, after)
    holdings = store.holdings(conn, token) if token else []
    holder = holdings[-1] if holdings and holdings[-1].state != "returned" else None
    return {
        "token": token,
        "label": holdings[-1].label if holdings else "",
        "holder": store.member(conn, holder.staff_id) if holder else None,
        "own": holder is not None and holder.staff_id == staff_id and holder.state == "issued",
        "lost": holder is not None and holder.state == "lost",
    }


@router.get("/staff/cards/hand-out/events")
async def hand_out_events(request: Request, who: Keeper, after: Id = 0, member: Id = 0) -> StreamingResponse:
    """The newest tap, anew whenever one came (server-sent events)."""
    language = pages.language_of(request)

    def render(conn: Connection) -> str:
        tapped = _tapped(conn, after, member)
        return pages.fragment("staff_tapped.html", language, tapped=tapped, current=store.member(conn, member))

    return stream(request, "tapped", lambda change: change.taps, render, _PAUSE_S)


@router.post("/staff/cards/hand-out")
def hand_over(request: Request, who: Keeper, form: Form) -> Response:
    """Joins the card that was tapped to the person who is shown, and goes on to the next."""
    staff_id, after = _id(form, "member"), _id(form, "after")
    digits, department = form.get("card", "").lower(), form.get("department", "")[:20]
    now_ms = pages.now_ms()

    def write(conn: Connection) -> tuple[str, int, int]:
        member = store.member(conn, staff_id)
        if member is None:
            raise HTTPException(404)
        token = store.newest_tapped(conn, after)
        # Another card was tapped between the look and the key: nobody looked at that one.
        if not token or token[:_DIGITS] != digits:
            return "no_tap", after, 0
        label = text("card_label", form.get("label", ""), needed=False)
        stranger = store.unknown_card(conn, token)
        from_ms = stranger.first_ms if stranger else now_ms
        kind = form.get("kind", "")[:40]
        card_id = acts.issue(conn, now_ms, who.person.name, member, token, from_ms, label=label, kind=kind)
        return "issue", store.last_punch(conn), card_id

    try:
        did, seen, card_id = request.app.state.db.write_now(write)
    except (CardHeld, WrongValue):
        did, seen, card_id = "cannot", after, 0
    query = {"did": did, "after": str(seen), "card": str(card_id)}
    if did != "issue":
        query["member"] = str(staff_id)
    if department:
        query["department"] = department
    return pages.to("/staff/cards/hand-out", **query)
