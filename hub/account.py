"""One's own account: the password, the second factor, and proving once more who one is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import access, audit, entry, factors, pages, password, people, qr, second_factor
from hub.brake import Key
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.welcome import words_of

router = APIRouter()

Own = Annotated[Who, Depends(need("own"))]
OwnFresh = Annotated[Who, Depends(fresh("own"))]


@router.get("/settings")
def settings(request: Request, who: Own) -> Response:
    """One's own account, and what else one may open."""
    return _settings(request, who)


def _settings(request: Request, who: Who, status: int = 200, error: str = "", wait_s: int = 0) -> Response:
    db = request.app.state.db
    left = db.read(lambda conn: factors.recovery_left(conn, who.person.id))
    values = {"error": error, "wait_s": wait_s, "version": request.app.version, "left": left}
    values |= {"owes_code": access.needs_code(who.person.role), "shortest": _shortest(who)}
    size = request.app.state.settings.database.stat().st_size
    return pages.page(request, "settings.html", who, status, size=size, **values)


def _shortest(who: Who) -> int:
    return password.SHORTEST if who.person.has_code else password.SHORTEST_ALONE


@router.post("/settings/password")
def change_password(
    request: Request, who: Own, form: Annotated[dict[str, str], Depends(fields("now", "password"))]
) -> Response:
    """A new password; every session of the person ends."""
    state, person, new = request.app.state, who.person, form.get("password", "")
    key: Key = ("name", person.name)
    if wait_s := state.brake.attempt(key):
        return _settings(request, who, 429, "sign_in_wait", wait_s)
    if not password.check(person, form.get("now", "")):
        state.db.write_now(lambda conn: audit.note(conn, pages.now_ms(), person.name, "password_failed"))
        return _settings(request, who, 400, "wrong_password")
    state.brake.succeeded(key)
    known = words_of(state.settings, person.shown)
    if not password.is_good(new, person.name, alone=not person.has_code, known=known):
        return _settings(request, who, 400, "bad_password")
    hashed = password.hashed(new)

    def change(conn: Connection) -> None:
        people.set_password(conn, person.id, hashed)
        audit.note(conn, pages.now_ms(), person.name, "password", person.name)

    state.db.write_now(change)
    response = pages.to("/sign-in", changed="true")
    state.guard.clear_cookie(response)
    return response


@router.post("/confirm")
def confirm(request: Request, who: OwnFresh, form: Annotated[dict[str, str], Depends(fields("next"))]) -> Response:
    """Goes on to the page that had asked for a fresh proof."""
    return pages.to(pages.safe_next(form.get("next", "/")))


# ---- the second factor


@router.get("/settings/code")
def code_page(request: Request, who: OwnFresh) -> Response:
    """The secret to scan: a first authenticator, or another phone."""
    return _offer(request, who)


def _offer(request: Request, who: Who, status: int = 200, error: str = "") -> Response:
    secret = request.app.state.sealing.offer(who.token)
    address = second_factor.address(secret, who.person.name)
    values = {"half": who, "next": "", "error": error, "wait_s": 0}
    return pages.page(
        request, "set_up.html", who, status, image=qr.image(address), secret=second_factor.as_text(secret), **values
    )


@router.post("/settings/code")
def set_code(
    request: Request, who: OwnFresh, form: Annotated[dict[str, str], Depends(fields("code", "next"))]
) -> Response:
    """Keeps it when its first code is right; the sessions on other machines end."""
    state, now = request.app.state, pages.now_ms()
    secret = state.sealing.offer(who.token)
    step = second_factor.matching_step(secret, form.get("code", ""), now)
    if step is None:
        return _offer(request, who, 400, "wrong_code")
    codes, person = second_factor.recovery_codes(), who.person

    def keep(conn: Connection) -> people.Person | None:
        factors.keep(conn, person.id, state.sealing.seal(person.id, secret), step, now)
        _keep_recovery(conn, person.id, codes)
        audit.note(conn, now, person.name, "set_up_code", person.name)
        people.end_sessions(conn, person.id)
        return people.by_id(conn, person.id)

    changed = state.db.write_now(keep)
    answer = pages.page(request, "recovery.html", codes=codes, next="/settings")
    # Under a new token: the next secret that is offered is another.
    return answer if changed and entry.whole_on(request, answer, changed) else pages.to("/sign-in")


@router.post("/settings/recovery")
def new_recovery(request: Request, who: OwnFresh, form: Annotated[dict[str, str], Depends(fields())]) -> Response:
    """Ten new recovery codes, shown once; the old ones are worth nothing."""
    if not who.person.has_code:
        return pages.to("/settings")
    codes = second_factor.recovery_codes()

    def renew(conn: Connection) -> None:
        _keep_recovery(conn, who.person.id, codes)
        audit.note(conn, pages.now_ms(), who.person.name, "new_recovery", who.person.name)

    request.app.state.db.write_now(renew)
    return pages.page(request, "recovery.html", who, codes=codes, next="/settings")


@router.post("/settings/code/off")
def code_off(request: Request, who: OwnFresh, form: Annotated[dict[str, str], Depends(fields())]) -> Response:
    """Signs in by password alone from now on, where the role allows that."""
    person = who.person
    if access.needs_code(person.role):
        return _settings(request, who, 400, "code_is_owed")

    def remove(conn: Connection) -> None:
        factors.remove(conn, person.id)
        audit.note(conn, pages.now_ms(), person.name, "code_off", person.name)

    request.app.state.db.write_now(remove)
    return pages.to("/settings")


def _keep_recovery(conn: Connection, person_id: int, codes: list[str]) -> None:
    factors.new_recovery(conn, person_id, [second_factor.hash_of_recovery(code) for code in codes])
