"""Letting somebody in who has given the right password: whole, or half until the code is given."""

from fastapi import Request, Response

from hub import access, audit, pages, password, people
from hub.db import Connection
from hub.people import Person

# Whoever can change the fleet signs in once a day at least, whatever the settings say.
_LONGEST_HOURS = 12


def after_password(request: Request, person: Person, given: str, following: str) -> Response | None:
    """Begins a session, or half of one when a code is owed: by the role, by choice, or because the password is too
    short to stand alone.  None when the person was changed while their password was being looked at."""
    if not (person.has_code or access.needs_code(person.role) or password.is_short(given)):
        return whole(request, person, following)
    state, now = request.app.state, pages.now_ms()

    def begin(conn: Connection) -> str | None:
        if people.by_id(conn, person.id) != person:
            return None
        people.end_session(conn, state.guard.token(request))
        return people.begin_half(conn, person.id, now)

    token = state.db.write_now(begin)
    if token is None:
        return None
    response = pages.to("/sign-in/code" if person.has_code else "/sign-in/set-up", next=following)
    state.guard.set_cookie(response, token)
    return response


def whole(request: Request, person: Person, following: str) -> Response | None:
    """Begins a session, under a new token; None when the person was changed meanwhile."""
    response = pages.to(following)
    return response if whole_on(request, response, person) else None


def whole_on(request: Request, response: Response, person: Person) -> bool:
    """The same on an answer of one's own; whether the person is still as they were."""
    state, now = request.app.state, pages.now_ms()
    hours = state.settings.session_hours
    if access.needs_code(person.role):
        hours = min(hours, _LONGEST_HOURS)

    def begin(conn: Connection) -> str | None:
        if people.by_id(conn, person.id) != person:
            return None
        # Whatever the browser held before, half a session or an old one, is worth nothing from here on.
        people.end_session(conn, state.guard.token(request))
        audit.note(conn, now, person.name, "sign_in")
        return people.begin_session(conn, person.id, now, hours)

    token = state.db.write_now(begin)
    if token is None:
        return False
    state.guard.set_cookie(response, token)
    return True
