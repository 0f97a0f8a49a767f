"""Who may use the hub, and as what: adding, inviting, changing the role, taking away and giving back."""

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import access, audit, factors, pages, people
from hub.access import ROLES, Role
from hub.db import Connection, Refused
from hub.guard import Who, fields, fresh, need
from hub.login import name_in
from hub.people import Person
from hub.welcome import good_name, shown_in

router = APIRouter()

Administrator = Annotated[Who, Depends(need("people"))]
AdministratorFresh = Annotated[Who, Depends(fresh("people"))]
Number = Annotated[int, Query(ge=1, le=pages.LAST_ID)]
PathNumber = Annotated[int, Path(ge=1, le=pages.LAST_ID)]

# What can be undone just happens; a role and a second factor are asked for once more.
Do = Literal["disable", "enable", "new_link", "role", "reset_code"]


@router.get("/settings/people")
def people_page(request: Request, who: Administrator, did: Do | None = None, number: Number | None = None) -> Response:
    """Who may sign in; after a change that can be undone, with the button that undoes it."""
    changed = request.app.state.db.read(lambda conn: people.by_id(conn, number)) if number else None
    return _people(request, who, did=did if changed else None, changed=changed)


@router.post("/settings/people")
def add_person(
    request: Request, who: AdministratorFresh, form: Annotated[dict[str, str], Depends(fields("name", "shown", "role"))]
) -> Response:
    """Adds somebody and shows the link for them, once."""
    name, shown, role = name_in(form), shown_in(form), _role_in(form)
    if not good_name(name):
        return _people(request, who, status=400, error="bad_name", form=form)
    if role is None:
        raise HTTPException(400)
    now = pages.now_ms()

    def invite(conn: Connection) -> str:
        number = people.add(conn, name, shown, role, now)
        audit.note(conn, now, who.person.name, "add_person", name, role)
        return people.invite(conn, number, now)

    try:
        token = request.app.state.db.write_now(invite)
    except Refused:
        return _people(request, who, status=400, error="name_taken", form=form)
    return _people(request, who, link=_link(request, token), invited=shown or name)


def _role_in(form: dict[str, str]) -> Role | None:
    return next((known for known in ROLES if known == form.get("role")), None)


@router.get("/settings/people/{number}")
def person_page(request: Request, number: PathNumber, who: Administrator) -> Response:
    """One person: the role and what it allows, the second factor, and what may be done."""
    return _person(request, who, _known(request, number))


def _known(request: Request, number: int) -> Person:
    person: Person | None = request.app.state.db.read(lambda conn: people.by_id(conn, number))
    if person is None:
        raise HTTPException(404)
    return person


def _person(request: Request, who: Who, person: Person, status: int = 200, **more: Any) -> Response:
    values = {"error": "", "sure": "", "role": person.role, **more}
    return pages.page(request, "person.html", who, status, person=person, roles=ROLES, **values)


@router.post("/settings/people/{number}")
def change_person(
    request: Request,
    number: PathNumber,
    who: AdministratorFresh,
    form: Annotated[dict[str, str], Depends(fields("do", "role", "sure"))],
) -> Response:
    """Disables, enables, makes a new link, changes the role or takes a lost second factor away."""
    do = next((known for known in get_args(Do) if known == form.get("do")), None)
    person, role = _known(request, number), _role_in(form)
    if do is None or (do == "role" and role is None):
        raise HTTPException(404 if do is None else 400)
    if error := _why_not(do, person, who):
        return _people(request, who, status=400, error=error)
    if do in ("role", "reset_code") and form.get("sure") != "yes":
        return _person(request, who, person, sure=do, role=role or person.role)
    now = pages.now_ms()

    def change(conn: Connection) -> str | None:
        if person.role == "administrator" and do in ("role", "disable") and not people.has_administrator(conn, number):
            return None
        audit.note(conn, now, who.person.name, _DID.get(do, do), person.name, role or "")
        return _do(conn, do, person, role or person.role, now)

    token = request.app.state.db.write_now(change)
    if token is None:
        return _people(request, who, status=400, error="last_administrator")
    if token:
        return _people(request, who, link=_link(request, token), invited=person.shown or person.name)
    return pages.to("/settings/people", did=do, number=str(number))


_DID: dict[str, audit.Did] = {"role": "change_role"}


def _why_not(do: Do, person: Person, who: Who) -> str:
    """The word for what stands against it; empty for nothing."""
    if do == "disable" and person.id == who.person.id:
        return "not_self"
    if do == "reset_code" and person.id == who.person.id:
        return "not_own_code"
    if do == "new_link" and person.disabled:
        return "enable_first"
    return ""


def _do(conn: Connection, do: Do, person: Person, role: Role, now_ms: int) -> str:
    if do == "new_link":
        return people.invite(conn, person.id, now_ms)
    if do == "role":
        people.set_role(conn, person.id, role)
    elif do == "reset_code":
        factors.remove(conn, person.id)
        people.end_sessions(conn, person.id)
    else:
        people.set_disabled(conn, person.id, disabled=do == "disable")
    return ""


def _link(request: Request, token: str) -> str:
    return f"{request.app.state.settings.url}/welcome?token={token}"


def _people(request: Request, who: Who, *, status: int = 200, **more: Any) -> Response:
    everyone = request.app.state.db.read(people.everyone)
    values = {"error": "", "link": "", "invited": "", "did": None, "changed": None, "form": {}, **more}
    owing = {role for role in ROLES if access.needs_code(role)}
    return pages.page(request, "people.html", who, status, people=everyone, roles=ROLES, owing=owing, **values)
