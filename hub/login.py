"""Signing in and out, invitations, passwords, and the people page."""

import re
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages, people
from hub.access import ROLES
from hub.db import Connection, Refused
from hub.guard import Who, need, public, read_form
from hub.people import Person

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Own = Annotated[Who, Depends(need("own"))]
Administrator = Annotated[Who, Depends(need("people"))]

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
# argon2id with the library's defaults (RFC 9106, low-memory profile).
_hasher = PasswordHasher()
# Checked for names that do not exist, so that the answer takes as long.
_NOBODY = _hasher.hash("nobody has this password")


def check_password(person: Person | None, password: str) -> bool:
    """Whether it is the person's; takes as long when there is no such person."""
    kept = person.password if person and person.password and not person.disabled else _NOBODY
    try:
        _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False
    return kept is not _NOBODY


def _good_password(password: str, name: str) -> bool:
    return 12 <= len(password) <= 200 and password.lower() != name.lower()


# ---- signing in and out


@router.get("/sign-in", dependencies=[Depends(public)])
def sign_in_page(request: Request, next: str = "/", changed: bool = False) -> Response:  # noqa: A002, FBT001, FBT002
    """The form."""
    return pages.page(request, "sign_in.html", next=pages.safe_next(next), name="", error="", changed=changed)


@router.post("/sign-in", dependencies=[Depends(public)])
def sign_in(request: Request, form: Form) -> Response:
    """Checks name and password; the same answer whatever was wrong."""
    state, now = request.app.state, pages.now_ms()
    name, password = form.get("name", "").strip().lower()[:80], form.get("password", "")
    following = pages.safe_next(form.get("next", "/"))
    keys = (f"name {name}", f"address {request.client.host if request.client else ''}")

    def again(status: int, error: str, wait_s: int = 0) -> Response:
        values = {"next": following, "name": name, "error": error, "wait_s": wait_s, "changed": False}
        answer = pages.page(request, "sign_in.html", None, status, **values)
        if wait_s:
            answer.headers["Retry-After"] = str(wait_s)
        return answer

    if wait_s := state.brake.wait_s(*keys):
        return again(429, "sign_in_wait", wait_s)
    person = state.db.read(lambda conn: people.by_name(conn, name))
    if not check_password(person, password[:200]) or person is None:
        state.brake.failed(*keys)
        known = name if person else ""  # what is typed into the name's field may be a password
        state.db.write_now(lambda conn: audit.note(conn, now, known or "?", "sign_in_failed"))
        return again(401, "sign_in_failed")
    state.brake.succeeded(keys[0])
    return _let_in(request, person, following)


def _let_in(request: Request, person: Person, following: str) -> Response:
    state, now = request.app.state, pages.now_ms()

    def begin(conn: Connection) -> str:
        audit.note(conn, now, person.name, "sign_in")
        return people.begin_session(conn, person.id, now, state.settings.session_hours)

    response = pages.to(following)
    state.guard.set_cookie(response, state.db.write_now(begin))
    return response


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
    response = pages.to(pages.safe_next(next))
    chosen = "en" if language == "en" else "ja"
    secure = request.app.state.settings.secure
    response.set_cookie("language", chosen, max_age=31_536_000, httponly=True, samesite="lax", secure=secure)
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
    name = person.name if person else form.get("name", "").strip().lower()
    if not _NAME.fullmatch(name):
        return _welcome(request, token, form, "bad_name")
    if not _good_password(form.get("password", ""), name):
        return _welcome(request, token, form, "bad_password")
    hashed = _hasher.hash(form["password"])

    def choose(conn: Connection) -> Person | None:
        # Read again inside the transaction: a link works once, whoever is quicker.
        still, invited = people.invited(conn, token, now)
        if not still:
            return None
        number = invited.id if invited else people.add(conn, name, form.get("shown", "")[:80], "administrator", now)
        people.use_invitation(conn, token)
        people.set_password(conn, number, hashed)
        audit.note(conn, now, name, "password", name)
        return people.by_id(conn, number)

    try:
        chosen = state.db.write_now(choose)
    except Refused:
        return _welcome(request, token, form, "name_taken")
    return _let_in(request, chosen, "/") if chosen else _welcome(request, "", form, "")


def _welcome(request: Request, token: str, form: dict[str, str], error: str) -> Response:
    state, now = request.app.state, pages.now_ms()
    good, person = state.db.read(lambda conn: people.invited(conn, token, now))
    status = 200 if good and not error else 400 if good else 410
    values = {"token": token, "good": good, "person": person, "error": error}
    fields = {key: form.get(key, "") for key in ("name", "shown")}
    return pages.page(request, "welcome.html", None, status, **values, **fields)


# ---- one's own settings, and people


@router.get("/settings")
def settings(request: Request, who: Own, error: str = "") -> Response:
    """One's own account, and what else one may open."""
    known = error if error in ("wrong_password", "bad_password") else ""
    size = request.app.state.settings.database.stat().st_size
    return pages.page(request, "settings.html", who, error=known, version=request.app.version, size=size)


@router.post("/settings/password")
def password(request: Request, who: Own, form: Form) -> Response:
    """A new password; every session of the person ends."""
    state = request.app.state
    keys = (f"name {who.person.name}",)
    if state.brake.wait_s(*keys) or not check_password(who.person, form.get("now", "")[:200]):
        state.brake.failed(*keys)
        return pages.to("/settings", error="wrong_password")
    if not _good_password(form.get("password", ""), who.person.name):
        return pages.to("/settings", error="bad_password")
    hashed = _hasher.hash(form["password"])

    def change(conn: Connection) -> None:
        people.set_password(conn, who.person.id, hashed)
        audit.note(conn, pages.now_ms(), who.person.name, "password", who.person.name)

    state.db.write_now(change)
    response = pages.to("/sign-in", changed="true")
    state.guard.clear_cookie(response)
    return response


@router.get("/settings/people")
def people_page(request: Request, who: Administrator) -> Response:
    """Who may sign in."""
    return _people(request, who)


@router.post("/settings/people")
def add_person(request: Request, who: Administrator, form: Form) -> Response:
    """Adds somebody and shows the link for them, once."""
    name, role = form.get("name", "").strip().lower(), form.get("role", "")
    if not _NAME.fullmatch(name):
        return _people(request, who, status=400, error="bad_name")
    if role not in ROLES:
        raise HTTPException(400)
    now, given = pages.now_ms(), next(known for known in ROLES if known == role)

    def invite(conn: Connection) -> str:
        number = people.add(conn, name, form.get("shown", "").strip()[:80], given, now)
        audit.note(conn, now, who.person.name, "add_person", name, given)
        return people.invite(conn, number, now)

    try:
        token = request.app.state.db.write_now(invite)
    except Refused:
        return _people(request, who, status=400, error="name_taken")
    return _people(request, who, link=_link(request, token), invited=form.get("shown", "") or name)


@router.post("/settings/people/{number}")
def change_person(request: Request, number: int, who: Administrator, form: Form) -> Response:
    """Disables, enables, or makes a new link."""
    db, now, do = request.app.state.db, pages.now_ms(), form.get("do", "")
    person = db.read(lambda conn: people.by_id(conn, number))
    if person is None or do not in ("disable", "enable", "new_link"):
        raise HTTPException(404)
    if do == "disable" and person.id == who.person.id:
        return _people(request, who, status=400, error="not_self")

    def change(conn: Connection) -> str:
        audit.note(conn, now, who.person.name, do, person.name)
        if do == "new_link":
            return people.invite(conn, person.id, now)
        people.set_disabled(conn, person.id, disabled=do == "disable")
        return ""

    token = db.write_now(change)
    return _people(request, who, link=_link(request, token) if token else "", invited=person.shown or person.name)


def _link(request: Request, token: str) -> str:
    return f"{request.app.state.settings.url}/welcome?token={token}"


def _people(
    request: Request, who: Who, *, status: int = 200, error: str = "", link: str = "", invited: str = ""
) -> Response:
    everyone = request.app.state.db.read(people.everyone)
    values = {"people": everyone, "roles": ROLES, "error": error, "link": link, "invited": invited}
    return pages.page(request, "people.html", who, status, **values)


@router.get("/settings/audit")
def audit_page(
    request: Request, who: Annotated[Who, Depends(need("audit"))], before: int | None = None, by: str = ""
) -> Response:
    """What was done, newest first."""
    lines = request.app.state.db.read(lambda conn: audit.entries(conn, 100, before, by))
    return pages.page(request, "audit.html", who, lines=lines, by=by, before=before)


def first_administrator_link(conn: Connection, now_ms: int, url: str) -> str | None:
    """A new one-time link, or None when there is an administrator already."""
    if people.has_administrator(conn):
        return None
    audit.note(conn, now_ms, "system", "admin_link")
    return f"{url}/welcome?token={people.invite(conn, None, now_ms, hours=24)}"
