"""Signing in, with the code where one is owed, and out."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, entry, factors, pages, password, people, proof, qr, second_factor
from hub.brake import Key
from hub.db import Connection
from hub.guard import Half, Who, fields, half, need, public, source

router = APIRouter()

Owing = Annotated[Half, Depends(half)]
Code = Annotated[dict[str, str], Depends(fields("code", "next"))]


def name_in(form: dict[str, str]) -> str:
    """The sign-in name of a form."""
    return form.get("name", "").strip().lower()


# ---- name and password


@router.get("/sign-in", dependencies=[Depends(public)])
def sign_in_page(request: Request, next: str = "/", changed: bool = False) -> Response:  # noqa: A002, FBT001, FBT002
    """The form."""
    return pages.page(request, "sign_in.html", next=pages.safe_next(next), name="", error="", changed=changed)


@router.post("/sign-in", dependencies=[Depends(public)])
def sign_in(request: Request, form: Annotated[dict[str, str], Depends(fields("name", "password", "next"))]) -> Response:
    """Checks name and password; the same answer whatever was wrong."""
    state = request.app.state
    name, following = name_in(form)[:80], pages.safe_next(form.get("next", "/"))
    keys: tuple[Key, ...] = (("name", name), ("address", source(request)))
    if wait_s := state.brake.attempt(*keys):
        return _again(request, 429, "sign_in_wait", name, following, wait_s)
    person = state.db.read(lambda conn: people.by_name(conn, name))
    given, response = form.get("password", ""), None
    if password.check(person, given) and person is not None:
        response = entry.after_password(request, person, given, following)
    if response is None:
        # What is typed into the name's field may be a password: only names that exist are noted.
        known = name if person else "?"
        state.db.write_now(lambda conn: audit.note(conn, pages.now_ms(), known, "sign_in_failed"))
        return _again(request, 401, "sign_in_failed", name, following)
    state.brake.succeeded(*keys)
    return response


def _again(request: Request, status: int, error: str, name: str, following: str, wait_s: int = 0) -> Response:
    values = {"next": following, "name": name, "error": error, "wait_s": wait_s, "changed": False}
    return _waiting(pages.page(request, "sign_in.html", None, status, **values), wait_s)


def _waiting(answer: Response, wait_s: int) -> Response:
    if wait_s:
        answer.headers["Retry-After"] = str(wait_s)
    return answer


# ---- the code


@router.get("/sign-in/code")
def code_page(request: Request, who: Owing, next: str = "/") -> Response:  # noqa: A002
    """Asks for the six digits; whoever has no authenticator yet sets it up."""
    following = pages.safe_next(next)
    if not who.person.has_code:
        return pages.to("/sign-in/set-up", next=following)
    return pages.page(request, "code.html", half=who, next=following, error="", wait_s=0)


@router.post("/sign-in/code")
def give_code(request: Request, who: Owing, form: Code) -> Response:
    """Lets in with the right digits, once each, or with a recovery code."""
    state, following = request.app.state, pages.safe_next(form.get("next", "/"))
    keys: tuple[Key, ...] = (("code", who.person.name), ("address", source(request)))

    def again(status: int, error: str, wait_s: int = 0) -> Response:
        values = {"half": who, "next": following, "error": error, "wait_s": wait_s}
        return _waiting(pages.page(request, "code.html", None, status, **values), wait_s)

    if wait_s := state.brake.attempt(*keys):
        return again(429, "sign_in_wait", wait_s)
    how = proof.by_code(state.db, state.sealing, who.person, form.get("code", ""), pages.now_ms())
    if how is None:
        _note(request, who, "code_failed")
        return again(401, "wrong_code")
    state.brake.succeeded(*keys)
    # Whoever came by a recovery code has lost the phone, or will soon have no codes left.
    after = "/settings" if how == "recovery" else following
    return entry.whole(request, who.person, after) or pages.to("/sign-in")


@router.get("/sign-in/set-up")
def set_up_page(request: Request, who: Owing, next: str = "/") -> Response:  # noqa: A002
    """The secret to scan, for whoever must have a code and has none."""
    if who.person.has_code:
        return pages.to("/sign-in/code", next=pages.safe_next(next))
    return _set_up(request, who, pages.safe_next(next))


@router.post("/sign-in/set-up")
def set_up(request: Request, who: Owing, form: Code) -> Response:
    """Keeps the secret when the first code is right, shows the recovery codes once, and lets in."""
    state, now, following = request.app.state, pages.now_ms(), pages.safe_next(form.get("next", "/"))
    key: Key = ("code", who.person.name)
    if who.person.has_code:
        return pages.to("/sign-in/code", next=following)
    if wait_s := state.brake.attempt(key):
        return _waiting(_set_up(request, who, following, 429, "sign_in_wait", wait_s), wait_s)
    secret = state.sealing.offer(who.token)
    step = second_factor.matching_step(secret, form.get("code", ""), now)
    if step is None:
        return _set_up(request, who, following, 400, "wrong_code")
    state.brake.succeeded(key)
    codes = second_factor.recovery_codes()

    def keep(conn: Connection) -> people.Person | None:
        # Read again inside the transaction: of two who set it up at once, one does.
        still = people.in_half(conn, who.token, now)
        if still is None or still.has_code:
            return None
        factors.keep(conn, still.id, state.sealing.seal(still.id, secret), step, now)
        factors.new_recovery(conn, still.id, [second_factor.hash_of_recovery(code) for code in codes])
        audit.note(conn, now, still.name, "set_up_code", still.name)
        return people.by_id(conn, still.id)

    person = state.db.write_now(keep)
    if person is None:
        return pages.to("/sign-in")
    answer = pages.page(request, "recovery.html", codes=codes, next=following)
    return answer if entry.whole_on(request, answer, person) else pages.to("/sign-in")


def _set_up(
    request: Request, who: Half, following: str, status: int = 200, error: str = "", wait_s: int = 0
) -> Response:
    secret = request.app.state.sealing.offer(who.token)
    image = qr.image(second_factor.address(secret, who.person.name))
    values = {"half": who, "next": following, "error": error, "wait_s": wait_s, "image": image}
    return pages.page(request, "set_up.html", None, status, secret=second_factor.as_text(secret), **values)


def _note(request: Request, who: Half, did: audit.Did) -> None:
    request.app.state.db.write_now(lambda conn: audit.note(conn, pages.now_ms(), who.person.name, did))


# ---- out, and whether one is in


@router.get("/session", dependencies=[Depends(public)])
def session(request: Request) -> Response:
    """204 while somebody is signed in, else 401: what an open page asks when its live part ends."""
    return Response(status_code=204 if request.app.state.guard.peek(request) else 401)


@router.post("/sign-out")
def sign_out(
    request: Request,
    who: Annotated[Who, Depends(need("own"))],
    form: Annotated[dict[str, str], Depends(fields("everywhere"))],
) -> Response:
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
