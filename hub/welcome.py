"""Invitations: a one-time link under which somebody chooses a password; the first makes the first administrator."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response

from hub import access, audit, entry, pages, password, people
from hub.db import Connection, Refused
from hub.guard import fields, public
from hub.login import name_in
from hub.people import Person
from hub.settings import Settings

router = APIRouter()

Form = Annotated[dict[str, str], Depends(fields("token", "name", "shown", "username", "password"))]


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
    name, given = person.name if person else name_in(form), form.get("password", "")
    if not person and not good_name(name):
        return _welcome(request, token, form, "bad_name")
    known = words_of(state.settings, person.shown if person else shown_in(form))
    if not password.is_good(given, name, alone=_alone(person), known=known):
        return _welcome(request, token, form, "bad_password")
    hashed = password.hashed(given)

    def choose(conn: Connection) -> Person | None:
        # Read again inside the transaction: a link works once, whoever is quicker.
        still, invited = people.invited(conn, token, now)
        if not still:
            return None
        number = invited.id if invited else _first_administrator(conn, name, shown_in(form), now)
        people.use_invitation(conn, token)
        people.set_password(conn, number, hashed)
        audit.note(conn, now, name, "password", name)
        return people.by_id(conn, number)

    try:
        chosen = state.db.write_now(choose)
    except Refused:
        return _welcome(request, token, form, "name_taken")
    return (entry.after_password(request, chosen, given, "/") if chosen else None) or _welcome(request, "", form, "")


def good_name(name: str) -> bool:
    """Whether it can be a sign-in name; the audit log's own word cannot."""
    return people.NAME.fullmatch(name) is not None and name != audit.SYSTEM


def shown_in(form: dict[str, str]) -> str:
    """The name to show of a form."""
    return " ".join(form.get("shown", "").split())[:80]


def words_of(settings: Settings, shown: str) -> tuple[str, ...]:
    """Words that a password must not consist of: the hub's address, the person's name."""
    labels = (urlsplit(settings.url).hostname or "").split(".")
    return tuple(
        word for word in (*labels, *shown.split(), shown.replace(" ", "")) if len(word) > 2 or not word.isascii()
    )


def _alone(person: Person | None) -> bool:
    """Whether the password will be the only factor."""
    return person is not None and not person.has_code and not access.needs_code(person.role)


def _first_administrator(conn: Connection, name: str, shown: str, now_ms: int) -> int:
    audit.note(conn, now_ms, audit.SYSTEM, "add_person", name, "administrator")
    return people.add(conn, name, shown, "administrator", now_ms)


def _welcome(request: Request, token: str, form: dict[str, str], error: str) -> Response:
    state, now = request.app.state, pages.now_ms()
    good, person = state.db.read(lambda conn: people.invited(conn, token, now))
    status = 200 if good and not error else 400 if good else 410
    shortest = password.SHORTEST_ALONE if _alone(person) else password.SHORTEST
    values = {"token": token, "good": good, "person": person, "error": error, "shortest": shortest}
    kept = {key: form.get(key, "") for key in ("name", "shown")}
    return pages.page(request, "welcome.html", None, status, **values, **kept)


def first_administrator_link(conn: Connection, now_ms: int, url: str) -> str | None:
    """A new one-time link, or None when there is an administrator already."""
    if people.has_administrator(conn):
        return None
    audit.note(conn, now_ms, audit.SYSTEM, "admin_link")
    return f"{url}/welcome?token={people.invite(conn, None, now_ms, hours=24)}"
