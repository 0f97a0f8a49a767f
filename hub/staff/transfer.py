"""Staff, cards and shifts as files: out, a template, and in with a look beforehand."""

import re
import secrets
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, sheet, shown
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.sheet import CannotRead, Sheet
from hub.staff import acts, card_intake, intake, shift_intake, store
from hub.staff.form import PAY, hours
from hub.staff.plan import Fate, Plan, headings
from hub.staff.store import Member
from hub.staff.terms import Terms
from hub.upload import Upload, read_upload
from hub.words import WORDS, Language, word

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
File = Annotated[Upload, Depends(read_upload)]
Keeper = Annotated[Who, Depends(need("staff"))]
# What leaves the house is asked for by somebody who is at the desk.
Taker = Annotated[Who, Depends(fresh("staff"))]
Sender = Annotated[Who, Depends(need("staff", read_upload))]

Kind = Literal["staff", "cards", "shifts"]
_SHOWN = 300
_TO: dict[Kind, str] = {"staff": "/staff", "cards": "/staff/cards", "shifts": "/staff/shifts"}


class Looked(Exception):
    """A file whose look came to something else than was confirmed."""


def _kind(kind: str) -> Kind:
    for known in _TO:
        if kind == known:
            return known
    raise HTTPException(404)


@router.get("/staff/import")
def import_page(request: Request, who: Keeper, did: str = "", n: int = 0) -> Response:
    """Files out, templates, files in."""
    return _page(request, who, did=did if did in _TO else "", n=n)


def _page(request: Request, who: Who, status: int = 200, **more: Any) -> Response:
    names_kept = request.app.state.db.read(store.names_kept)
    given = {"did": "", "n": 0, "why": "", "found": "", "which": "", **more}
    month = shown.day_of(pages.now_ms())[:7]
    return pages.page(
        request,
        "staff_import.html",
        who,
        status,
        columns={kind: _columns(kind, who, names=names_kept) for kind in _TO},
        to=_TO,
        month=month,
        names_kept=names_kept,
        **given,
    )


def _columns(kind: Kind, who: Who, *, names: bool) -> list[str]:
    if kind == "cards":
        return list(card_intake.COLUMNS)
    if kind == "shifts":
        return list(shift_intake.COLUMNS)
    return [
        field
        for field in intake.COLUMNS
        if (names or field != "staff_name") and (acts.sees_pay(who) or field not in PAY)
    ]


# ---- files out


@router.get("/staff/file/{kind}")
def file_out(
    request: Request, who: Taker, kind: str, form: str = "xlsx", month: str = "", rows: Literal["all", "none"] = "all"
) -> Response:
    """Everything of a kind as a file that can be taken in again; only its headings with `rows=none`."""
    known, language = _kind(kind), pages.language_of(request)
    if form not in ("xlsx", "csv") or (month and not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", month)):
        raise HTTPException(400)
    month = month or shown.day_of(pages.now_ms())[:7]
    head, table = request.app.state.db.read(lambda conn: _table(conn, known, who, language, month))
    table = table if rows == "all" else []
    name = f"{known}-template" if rows == "none" else f"{known}-{shown.day_of(pages.now_ms())}"
    if form == "csv":
        content, media = sheet.csv_file(head, table), "text/csv; charset=utf-8"
    else:
        content, media = sheet.xlsx_file(known, head, table), sheet.XLSX
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=media, headers=headers)


def _table(conn: Connection, kind: Kind, who: Who, language: Language, month: str) -> tuple[list[str], list[list[str]]]:
    if kind == "shifts":
        return _shift_table(conn, language, month)
    columns = _columns(kind, who, names=store.names_kept(conn))
    head = [word(language, field) for field in columns]
    rows = (
        _card_rows(conn)
        if kind == "cards"
        else [intake.row_of(one.number, _known(one)) for one in store.members(conn).values()]
    )
    return head, [[in_words(language, field, row.get(field, "")) for field in columns] for row in rows]


def in_words(language: Language, field: str, value: str) -> str:
    """A value as people read it; read again it is the same."""
    if field in ("staff_kind", "staff_office") and value:
        return word(language, f"{field}_{value}")
    if field == "staff_tracked" and value:
        return word(language, f"tracked_{value}")
    if field == "staff_hours" and value in ("shift", "off"):
        return word(language, f"staff_hours_{value}")
    return value


def _card_rows(conn: Connection) -> list[dict[str, str]]:
    """Cards that somebody has, then those that are nobody's."""
    members = store.members(conn)
    held = [card for card in store.cards(conn) if card.until_ms is None]
    rows = [
        {"card_digits": card.token[:8], "card_label": card.label, "staff_number": members[card.staff_id].number}
        for card in sorted(held, key=lambda one: (one.label, one.token))
    ]
    return rows + [{"card_digits": one.token[:8]} for one in store.unknown_cards(conn)]


def _shift_table(conn: Connection, language: Language, month: str) -> tuple[list[str], list[list[str]]]:
    first = date.fromisoformat(f"{month}-01")
    days = [day for n in range(31) if (day := first + timedelta(days=n)).month == first.month]
    found = [one for one in store.members(conn, month).values() if any(terms.shifts for terms in one.terms)]
    assigned = store.assigned(conn, [one.id for one in found], days[0], days[-1])
    rows = []
    for one in found:
        of = dict(assigned.get(one.id, ()))
        rows.append([one.number, *(shift_intake.shown(of[day]) if day in of else "" for day in days)])
    return [word(language, "staff_number"), *(day.isoformat() for day in days)], rows


# ---- files in


@router.post("/staff/import/{kind}")
def look(request: Request, who: Sender, file: File, kind: str) -> Response:
    """What becomes of each row of a file, and what is wrong with it; nothing is changed by this."""
    known = _kind(kind)
    if file.too_large:
        return _page(request, who, 413, why="too_large", found=sheet.BYTES // 1_000_000, which=known)
    db, token = request.app.state.db, secrets.token_urlsafe(18)
    try:
        read = sheet.read(file.filename, file.content)
        found = db.read(lambda conn: _plan(conn, known, who, read))
    except CannotRead as error:
        return _page(request, who, 422, why=error.why, found=error.found, which=known)
    if found.changes:
        draft = (token, known, who.person.name, file.filename, file.content, pages.now_ms())
        db.write_now(lambda conn: store.keep_draft(conn, *draft))
    return _look_page(request, who, known, token, file.filename, read, found)


@router.post("/staff/import/{kind}/do")
def do(request: Request, who: Keeper, form: Form, kind: str) -> Response:
    """Does what was looked at, all of it or nothing; when things have changed meanwhile, shows it anew."""
    known, token = _kind(kind), form.get("token", "")
    db, now_ms = request.app.state.db, pages.now_ms()
    kept = db.read(lambda conn: store.draft(conn, token, known, who.person.name, now_ms))
    if kept is None:
        return _page(request, who, 410, why="gone", which=known)
    # Read before: the transaction holds up what devices send.
    name, read = kept[0], sheet.read(*kept)
    try:
        n = db.write_now(lambda conn: _do(conn, known, who, form, name, read))
    except Looked:
        found = db.read(lambda conn: _plan(conn, known, who, read))
        return _look_page(request, who, known, token, name, read, found, changed=True)
    return pages.to("/staff/import", did=known, n=str(n))


def _look_page(
    request: Request,
    who: Who,
    kind: Kind,
    token: str,
    name: str,
    read: Sheet,
    found: Plan,
    *,
    changed: bool = False,
) -> Response:
    language = pages.language_of(request)
    return pages.page(
        request,
        "staff_look.html",
        who,
        409 if changed else 422 if found.problems else 200,
        kind=kind,
        plan=found,
        read=read,
        name=name,
        token=token,
        changed=changed,
        most=_SHOWN,
        in_words=lambda field, value: in_words(language, field, value),
        words=WORDS,
    )


def _plan(conn: Connection, kind: Kind, who: Who, read: Sheet) -> Plan:
    """What a file comes to now. Raises CannotRead."""
    return _PLANS[kind](conn, who, read)


def _plan_staff(conn: Connection, who: Who, read: Sheet) -> Plan:
    places, unknown = headings(read.headings, intake.COLUMNS, WORDS)
    if "staff_number" not in places:
        raise CannotRead("no_number_heading")
    parts = store.departments(conn)
    # A code that is another one's name means the code.
    departments = {one.name: one.code for one in parts} | {one.code: one.code for one in parts}
    known = {one.number: _known(one) for one in store.members(conn).values()}
    allowed = intake.Allowed(store.names_kept(conn), acts.sees_pay(who))
    return intake.plan(read.rows, places, unknown, known, departments, allowed)


def _known(member: Member) -> intake.Known:
    return intake.Known(member.name, member.since, member.left, member.terms)


def _plan_cards(conn: Connection, _who: Who, read: Sheet) -> Plan:
    places, unknown = headings(read.headings, card_intake.COLUMNS, WORDS)
    if not {"card_digits", "card_label"} & set(places):
        raise CannotRead("no_card_heading")
    members = store.members(conn)
    known: dict[str, card_intake.Known] = {}
    for card in store.cards(conn):
        number = members[card.staff_id].number if card.until_ms is None else ""
        known[card.token] = card_intake.Known(card.token, number, card.label, max(card.from_ms, card.until_ms or 0))
    for one in store.unknown_cards(conn):
        known[one.token] = card_intake.Known(one.token, "", "", 0)
    return card_intake.plan(read.rows, places, unknown, known.values(), [one.number for one in members.values()])


def _plan_shifts(conn: Connection, _who: Who, read: Sheet) -> Plan:
    places, unknown = headings(read.headings, shift_intake.COLUMNS, WORDS)
    days = {} if "shift_day" in places else shift_intake.day_columns(read.headings)
    if "staff_number" not in places:
        raise CannotRead("no_number_heading")
    if not days and not {"shift_day", "shift_hours"} <= set(places):
        raise CannotRead("no_day_heading")
    members = store.members(conn)
    assigned = store.assigned(conn, list(members), date.min, date.max)
    known = {
        one.number: shift_intake.Known(_works_in_shifts(one), dict(assigned.get(id_, ())))
        for id_, one in members.items()
    }
    seen = {read.headings[place].strip() for place in days}
    return shift_intake.plan(read.rows, places, days, [one for one in unknown if one not in seen], known)


def _works_in_shifts(member: Member) -> Callable[[date], bool]:
    def on(day: date) -> bool:
        terms = member.terms_on(day)
        return terms is not None and terms.shifts

    return on


_PLANS: dict[Kind, Callable[[Connection, Who, Sheet], Plan]] = {
    "staff": _plan_staff,
    "cards": _plan_cards,
    "shifts": _plan_shifts,
}


# ---- doing it


class _By(NamedTuple):
    now_ms: int
    who: str


def _do(conn: Connection, kind: Kind, who: Who, form: dict[str, str], name: str, read: Sheet) -> int:
    """Everything in one transaction; how many rows came to something. Raises Looked."""
    found = _plan(conn, kind, who, read)
    if found.problems or found.digest != form.get("digest"):
        raise Looked
    by = _By(pages.now_ms(), who.person.name)
    for code in found.departments:
        acts.add_department(conn, *by, code, code)
    for fate in found.changes:
        _APPLY[kind](conn, by, fate)
    detail = f"new {found.count('new')}, changed {found.count('changed')}, the same {found.count('same')}"
    audit.note(conn, *by, _DID[kind], name[:80], detail)
    store.drop_draft(conn, form["token"])
    return len(found.changes)


_DID: dict[Kind, audit.Did] = {"staff": "import_staff", "cards": "import_cards", "shifts": "import_shifts"}


def _member(conn: Connection, number: str) -> Member:
    found = store.by_number(conn, number)
    if found is None:
        raise Looked
    return found


def _apply_staff(conn: Connection, by: _By, fate: Fate) -> None:
    terms = msgspec.json.decode(fate.do["terms"], type=Terms) if "terms" in fate.do else None
    name = fate.do.get("staff_name")
    if fate.kind == "new":
        assert terms is not None  # noqa: S101 (somebody new has terms)
        acts.add(conn, *by, fate.label, date.fromisoformat(fate.do["staff_since"]), terms, name or "")
    member = _member(conn, fate.label)
    if fate.kind != "new":
        if name is not None:
            acts.set_name(conn, *by, member, name)
        if terms is not None:
            acts.set_terms(conn, *by, member, terms, corrects=True)
    left = fate.do.get("staff_left")
    if left:
        acts.leave(conn, *by, member, date.fromisoformat(left))
    elif left is not None and member.left is not None:
        acts.rejoin(conn, *by, member, member.left + timedelta(days=1))


def _apply_card(conn: Connection, by: _By, fate: Fate) -> None:
    token, number, label = fate.do["token"], fate.do.get("number"), fate.do.get("label", "")
    if number is None:
        acts.set_label(conn, *by, store.holdings(conn, token)[-1], label)
        return
    stranger = store.unknown_card(conn, token)
    from_ms = stranger.first_ms if stranger else by.now_ms
    if "from" in fate.do:
        from_ms = shown.day_start_ms(date.fromisoformat(fate.do["from"]))
    try:
        acts.issue(conn, *by, _member(conn, number), token, from_ms, label=label)
    except store.CardHeld:
        raise Looked from None


def _apply_shifts(conn: Connection, by: _By, fate: Fate) -> None:
    days = {date.fromisoformat(day): hours("shift_hours", text) for day, text in fate.do.items()}
    acts.set_days(conn, *by, _member(conn, fate.label), days)


_APPLY: dict[Kind, Callable[[Connection, _By, Fate], None]] = {
    "staff": _apply_staff,
    "cards": _apply_card,
    "shifts": _apply_shifts,
}
