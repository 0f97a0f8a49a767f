"""Signing in and out, invitations, passwords, and the people page."""

import re
import threading
from typing import Annotated, Any, Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, people
from hub.access import ROLES
from hub.brake import Key
from hub.db import Connection, Refused
from hub.guard import Who, need, public, read_form
from hub.people import Person

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Own = Annotated[Who, Depends(need("own"))]
Administrator = Annotated[Who, Depends(need("people"))]

Number = Annotated[int, Query(ge=1, le=pages.LAST_ID)]
Do = Literal["disable", "enable", "new_link"]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
# NIST SP 800-63B-4, 3.1.1.2: at least 15 characters where a password is the only factor, no rules of composition.
SHORTEST, LONGEST = 15, 200
_DIFFERENT = 5
_ON_A_PAGE = 100
# argon2id with the library's defaults (RFC 9106, low-memory profile): 64 MiB each, so only a few at once.
_hasher = PasswordHasher()
_hashing = threading.BoundedSemaphore(3)
# Checked for names that do not exist, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def check_password(person: Person | None, password: str) -> bool:
    """Whether it is the person's; takes as long when there is no such person."""
    kept = person.password if person and person.password and not person.disabled else _NOBODY
    try:
        with _hashing:
            _hasher.verify(kept, password[:LONGEST])
    except (VerificationError, InvalidHashError):
        return False
    return kept is not _NOBODY


def good_password(password: str, name: str) -> bool:
    """Long enough, not the sign-in name over and over, not a few keys only."""
    rest = password.lower().replace(name, "")
    return SHORTEST <= len(password) <= LONGEST and len(rest) >= SHORTEST // 2 and len(set(rest)) >= _DIFFERENT


def good_name(name: str) -> bool:
    """Whether it can be a sign-in name; the audit log's own word cannot."""
    return _NAME.fullmatch(name) is not None and name != audit.SYSTEM


def _hash(password: str) -> str:
    with _hashing:
        return _hasher.hash(password)


def _name_in(form: dict[str, str]) -> str:
    return form.get("name", "").strip().lower()


def _shown_in(form: dict[str, str]) -> str:
    return " ".join(form.get("shown", "").split())[:80]


# ---- signing in and out


@router.get("/sign-in", dependencies=[Depends(public)])
def sign_in_page(request: Request, next: str = "/", changed: bool = False) -> Response:  # noqa: A002, FBT001, FBT002
    """The form."""
    return pages.page(request, "sign_in.html", next=pages.safe_next(next), name="", error="", changed=changed)


@router.post("/sign-in", dependencies=[Depends(public)])
def sign_in(request: Request, form: Form) -> Response:
    """Checks name and password; the same answer whatever was wrong."""
    state = request.app.state
    name, following = _name_in(form)[:80], pages.safe_next(form.get("next", "/"))
    keys: tuple[Key, ...] = (("name", name), ("address", request.client.host if request.client else ""))
    if wait_s := state.brake.attempt(*keys):
        return _again(request, 429, "sign_in_wait", name, following, wait_s)
    person = state.db.read(lambda conn: people.by_name(conn, name))
    response = None
    if check_password(person, form.get("password", "")) and person is not None:
        response = _let_in(request, person, following)
    if response is None:
        # What is typed into the name's field may be a password: only names that exist are noted.
        known = name if person else "?"
        state.db.write_now(lambda conn: audit.note(conn, pages.now_ms(), known, "sign_in_failed"))
        return _again(request, 401, "sign_in_failed", name, following)
    state.brake.succeeded(*keys)
    return response


def _again(request: Request, status: int, error: str, name: str, following: str, wait_s: int = 0) -> Response:
    values = {"next": following, "name": name, "error": error, "wait_s": wait_s, "changed": False}
    answer = pages.page(request, "sign_in.html", None, status, **values)
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


def _let_in(request: Request, person: Person, following: str) -> Response | None:
    """Begins a session; None when the person was changed while their password was being looked at."""
    state, now = request.app.state, pages.now_ms()

    def begin(conn: Connection) -> str | None:
        if people.by_id(conn, person.id) != person:
            return None
        audit.note(conn, now, person.name, "sign_in")
        return people.begin_session(conn, person.id, now, state.settings.session_hours)

    token = state.db.write_now(begin)
    if token is None:
        return None
    response = pages.to(following)
    state.guard.set_cookie(response, token)
    return response


@router.get("/session", dependencies=[Depends(public)])
def session(request: Request) -> Response:
    """204 while somebody is signed in, else 401: what an open page asks when its live part ends."""
    return Response(status_code=204 if request.app.state.guard.peek(request) else 401)


@router.post("/sign-out")
def sign_out(request: Request, who: Own, form: Form) -> Response:
    """Ends this session, or all of them."""
    everywhere = form.get("everywhere") == "yes"

    def end(conn: Connection) -> None:
        audit.note(conn, pages.now_ms(), who.person.name, "sign_out_everywhere" if everywhere else "sign_out")
        if everywhere:
            people.end_sessions(conn, who.person.id)
        else:
            people.end_session(conn, who.token)

    request.app.state.db.write_now(end)
    response = pages.to("/sign-in")
    request.app.state.guard.clear_cookie(response)
    return response


@router.get("/language/{language}", dependencies=[Depends(public)])
def language(request: Request, language: str, next: str = "/") -> Response:  # noqa: A002
    """Remembers the language in the browser."""
    if language not in ("ja", "en"):
        raise HTTPException(404)
    response = pages.to(pages.safe_next(next))
    secure = request.app.state.settings.secure
    response.set_cookie("language", language, max_age=31_536_000, httponly=True, samesite="lax", secure=secure)
    return response


# ---- invitations


@router.get("/welcome", dependencies=[Depends(public)])
def welcome_page(request: Request, token: str = "") -> Response:
    """The form behind a one-time link."""
    return _welcome(request, token, {}, "")


@router.post("/welcome", dependencies=[Depends(public)])
def welcome(request: Request, form: Form) -> Response:
    """Chooses a password; makes the first administrator when there is none."""
    state, now, token = request.app.state, pages.now_ms(), form.get("token", "")
    good, person = state.db.read(lambda conn: people.invited(conn, token, now))
    if not good:
        return _welcome(request, "", form, "")
    name, given = person.name if person else _name_in(form), form.get("password", "")
    if not person and not good_name(name):
        return _welcome(request, token, form, "bad_name")
    if not good_password(given, name):
        return _welcome(request, token, form, "bad_password")
    hashed = _hash(given)

    def choose(conn: Connection) -> Person | None:
        # Read again inside the transaction: a link works once, whoever is quicker.
        still, invited = people.invited(conn, token, now)
        if not still:
            return None
        number = invited.id if invited else _first_administrator(conn, name, _shown_in(form), now)
        people.use_invitation(conn, token)
        people.set_password(conn, number, hashed)
        audit.note(conn, now, name, "password", name)
        return people.by_id(conn, number)

    try:
        chosen = state.db.write_now(choose)
    except Refused:
        return _welcome(request, token, form, "name_taken")
    return (_let_in(request, chosen, "/") if chosen else None) or _welcome(request, "", form, "")


def _first_administrator(conn: Connection, name: str, shown: str, now_ms: int) -> int:
    audit.note(conn, now_ms, audit.SYSTEM, "add_person", name, "administrator")
    return people.add(conn, name, shown, "administrator", now_ms)


def _welcome(request: Request, token: str, form: dict[str, str], error: str) -> Response:
    state, now = request.app.state, pages.now_ms()
    good, person = state.db.read(lambda conn: people.invited(conn, token, now))
    status = 200 if good and not error else 400 if good else 410
    values = {"token": token, "good": good, "person": person, "error": error}
    fields = {key: form.get(key, "") for key in ("name", "shown")}
    return pages.page(request, "welcome.html", None, status, **values, **fields)


# ---- one's own settings, and people


@router.get("/settings")
def settings(request: Request, who: Own) -> Response:
    """One's own account, and what else one may open."""
    return _settings(request, who)


def _settings(request: Request, who: Who, status: int = 200, error: str = "", wait_s: int = 0) -> Response:
    values = {"error": error, "wait_s": wait_s, "version": request.app.version}
    size = request.app.state.settings.database.stat().st_size
    return pages.page(request, "settings.html", who, status, size=size, **values)


@router.post("/settings/password")
def password(request: Request, who: Own, form: Form) -> Response:
    """A new password; every session of the person ends."""
    state, person = request.app.state, who.person
    key: Key = ("name", person.name)
    if wait_s := state.brake.attempt(key):
        return _settings(request, who, 429, "sign_in_wait", wait_s)
    if not check_password(person, form.get("now", "")):
        state.db.write_now(lambda conn: audit.note(conn, pages.now_ms(), person.name, "password_failed"))
        return _settings(request, who, 400, "wrong_password")
    state.brake.succeeded(key)
    if not good_password(form.get("password", ""), person.name):
        return _settings(request, who, 400, "bad_password")
    hashed = _hash(form["password"])

    def change(conn: Connection) -> None:
        people.set_password(conn, person.id, hashed)
        audit.note(conn, pages.now_ms(), person.name, "password", person.name)

    state.db.write_now(change)
    response = pages.to("/sign-in", changed="true")
    state.guard.clear_cookie(response)
    return response


@router.get("/settings/people")
def people_page(request: Request, who: Administrator, did: Do | None = None, number: Number | None = None) -> Response:
    """Who may sign in; after a change that can be undone, with the button that undoes it."""
    changed = request.app.state.db.read(lambda conn: people.by_id(conn, number)) if number else None
    return _people(request, who, did=did if changed else None, changed=changed)


@router.post("/settings/people")
def add_person(request: Request, who: Administrator, form: Form) -> Response:
    """Adds somebody and shows the link for them, once."""
    name, shown, role = _name_in(form), _shown_in(form), form.get("role", "")
    if not good_name(name):
        return _people(request, who, status=400, error="bad_name", form=form)
    given = next((known for known in ROLES if known == role), None)
    if given is None:
        raise HTTPException(400)
    now = pages.now_ms()

    def invite(conn: Connection) -> str:
        number = people.add(conn, name, shown, given, now)
        audit.note(conn, now, who.person.name, "add_person", name, given)
        return people.invite(conn, number, now)

    try:
        token = request.app.state.db.write_now(invite)
    except Refused:
        return _people(request, who, status=400, error="name_taken", form=form)
    return _people(request, who, link=_link(request, token), invited=shown or name)


@router.post("/settings/people/{number}")
def change_person(
    request: Request, number: Annotated[int, Path(ge=1, le=pages.LAST_ID)], who: Administrator, form: Form
) -> Response:
    """Disables, enables, or makes a new link."""
    db, now = request.app.state.db, pages.now_ms()
    do = next((known for known in get_args(Do) if known == form.get("do")), None)
    person = db.read(lambda conn: people.by_id(conn, number))
    if person is None or do is None:
        raise HTTPException(404)
    if do == "disable" and person.id == who.person.id:
        return _people(request, who, status=400, error="not_self")
    if do == "new_link" and person.disabled:
        return _people(request, who, status=400, error="enable_first")

    def change(conn: Connection) -> str:
        audit.note(conn, now, who.person.name, do, person.name)
        if do == "new_link":
            return people.invite(conn, person.id, now)
        people.set_disabled(conn, person.id, disabled=do == "disable")
        return ""

    token = db.write_now(change)
    if token:
        return _people(request, who, link=_link(request, token), invited=person.shown or person.name)
    return pages.to("/settings/people", did=do, number=str(person.id))


def _link(request: Request, token: str) -> str:
    return f"{request.app.state.settings.url}/welcome?token={token}"


def _people(request: Request, who: Who, *, status: int = 200, **more: Any) -> Response:
    everyone = request.app.state.db.read(people.everyone)
    values = {"error": "", "link": "", "invited": "", "did": None, "changed": None, "form": {}, **more}
    return pages.page(request, "people.html", who, status, people=everyone, roles=ROLES, **values)


@router.get("/settings/audit")
def audit_page(
    request: Request, who: Annotated[Who, Depends(need("audit"))], before: pages.Before = None, by: str = ""
) -> Response:
    """What was done, newest first."""
    lines = request.app.state.db.read(lambda conn: audit.entries(conn, _ON_A_PAGE, before, by.strip()))
    return pages.page(
        request, "audit.html", who, lines=lines, roles=ROLES, by=by.strip(), before=before, page_size=_ON_A_PAGE
    )


def first_administrator_link(conn: Connection, now_ms: int, url: str) -> str | None:
    """A new one-time link, or None when there is an administrator already."""
    if people.has_administrator(conn):
        return None
    audit.note(conn, now_ms, audit.SYSTEM, "admin_link")
    return f"{url}/welcome?token={people.invite(conn, None, now_ms, hours=24)}"
