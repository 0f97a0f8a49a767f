"""What every request passes: who it is, whether they may, whether it came from our own page.

1. The session's token lies in a signed cookie; the session itself in the database, where it can be ended.
2. Whoever has given the right password and still owes a code is half in: that lets them give the code, nothing else.
3. A change carries the session's CSRF token and comes from our own origin.
4. What must not be done from a desk that was left asks once more who it is (`fresh`).
5. Every answer carries the headers that keep a browser from being turned against its user.
"""

import contextlib
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from fastapi import Depends, HTTPException, Request, Response
from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import people, proof
from hub.access import Need, may
from hub.db import Db, Fault
from hub.key_file import read_key
from hub.people import Person
from hub.settings import Settings

_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The largest form is a welcome: a token, a name, a password.
_FORM_BYTES = 65_536
_FORM_FIELDS = 50


class NotSignedIn(Exception):
    """The page needs somebody to be signed in."""


class NotFresh(Exception):
    """Whoever it is must prove once more who they are; `fields` are what they wanted to send."""

    def __init__(self, who: "Who", fields: dict[str, str], error: str = "", wait_s: int = 0) -> None:
        super().__init__(error)
        self.who, self.fields, self.error, self.wait_s = who, fields, error, wait_s


class Half(msgspec.Struct, frozen=True):
    """Who gave the right password and owes a code, their token and what its forms must carry."""

    person: Person
    token: str
    csrf: str


class Who(msgspec.Struct, frozen=True):
    """Who asks: the person, their session's token, what its forms must carry, when they last proved who they are."""

    person: Person
    token: str
    csrf: str
    proved_ms: int

    def may(self, need: Need) -> bool:
        """Whether this person may."""
        return may(self.person.role, need)


class Guard:
    """Signs cookies and knows sessions. One a hub."""

    def __init__(self, settings: Settings, db: Db) -> None:
        self._settings, self._db = settings, db
        secret = read_key(Path(settings.state_dir), "session.key")
        self._signer = Signer(secret, salt="machinaka session", key_derivation="hmac", digest_method=hashlib.sha256)
        self._csrf_key = hashlib.sha256(b"csrf" + secret).digest()
        # A browser keeps a __Host- cookie from being set by any other host or path.
        self.cookie = "__Host-machinaka" if settings.secure else "machinaka"

    def set_cookie(self, response: Response, token: str) -> None:
        """Gives the browser its session."""
        response.set_cookie(
            self.cookie,
            self._signer.sign(token).decode(),
            max_age=self._settings.session_hours * 3600,
            path="/",
            secure=self._settings.secure,
            httponly=True,
            samesite="lax",
        )

    def clear_cookie(self, response: Response) -> None:
        """Takes it away."""
        response.delete_cookie(self.cookie, path="/", secure=self._settings.secure, httponly=True, samesite="lax")

    def csrf(self, token: str) -> str:
        """What the forms of a session carry."""
        return hmac.new(self._csrf_key, token.encode(), hashlib.sha256).hexdigest()

    def who(self, request: Request) -> Who | None:
        """Who asks, or None; their session counts as used. Reads the database: not on the event loop."""
        token, now_ms = self.token(request), _now_ms()
        session = self._db.read(lambda conn: people.in_session(conn, token, now_ms))
        if session is None:
            return None
        if session.stale:
            # On a full disk the pages can still be read; the session then ends a little early.
            with contextlib.suppress(Fault):
                self._db.write_now(lambda conn: people.seen(conn, token, now_ms))
        return Who(session.person, token, self.csrf(token), session.proved_ms)

    def peek(self, request: Request) -> Who | None:
        """The same, but a page that asks by itself does not keep its session from growing old."""
        token = self.token(request)
        session = self._db.read(lambda conn: people.in_session(conn, token, _now_ms()))
        return Who(session.person, token, self.csrf(token), session.proved_ms) if session else None

    def half(self, request: Request) -> Half | None:
        """Who owes a code, or None."""
        token = self.token(request)
        person = self._db.read(lambda conn: people.in_half(conn, token, _now_ms()))
        return Half(person, token, self.csrf(token)) if person else None

    def token(self, request: Request) -> str:
        """The token of the browser's cookie; empty for none, or for one that was not signed here."""
        try:
            return self._signer.unsign(request.cookies.get(self.cookie, "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return ""

    def own_origin(self, request: Request) -> bool:
        """Whether a change comes from our own page (a browser says so; other programs have no cookie to steal)."""
        origin = request.headers.get("origin")
        if origin is None:
            return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        return origin == self._settings.url or origin.partition("://")[2] == request.headers.get("host")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, of at most 64 KiB, as text. Refuses anything else with 4xx."""
    if request.method in ("GET", "HEAD"):
        return {}
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _FORM_BYTES:
            raise HTTPException(413)
    if body and request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FORM_FIELDS))
    except ValueError as error:
        raise HTTPException(400) from error


def need(what: Need, read: Callable[..., Any] = read_form) -> Callable[..., Who]:
    """A route's need: signed in, allowed, and for changes the right token from our own page.

    `read` is what reads its form: fields of text, unless it says otherwise (`upload.py`).
    """

    def check(request: Request, form: Annotated[dict[str, str], Depends(read)]) -> Who:
        guard: Guard = request.app.state.guard
        who = guard.who(request)
        if who is None:
            raise NotSignedIn
        request.state.who = who
        if not who.may(what):
            raise HTTPException(403)
        if request.method not in ("GET", "HEAD"):
            _check_change(guard, request, who, form)
        return who

    check.need = what  # type: ignore[attr-defined]
    return check


def fresh(what: Need) -> Callable[..., Who]:
    """The same need, of somebody who proved within ten minutes who they are; whoever did not is asked, and the form
    then goes on by itself.  For identities and roles, for what leaves the house, for what cannot be undone.
    """

    def check(
        request: Request,
        form: Annotated[dict[str, str], Depends(read_form)],
        who: Annotated[Who, Depends(need(what))],
    ) -> Who:
        # Taken out: it is none of the fields that the route knows.
        given = form.pop("proof", "")
        if _now_ms() - who.proved_ms < proof.FRESH_MS:
            return who
        if not given:
            raise NotFresh(who, form)
        state = request.app.state
        error, wait_s = state.proving.again(state.brake, source(request), who.person, who.token, given, _now_ms())
        if error:
            raise NotFresh(who, form, error, wait_s)
        return who

    check.need = what  # type: ignore[attr-defined]
    return check


def half(request: Request, form: Annotated[dict[str, str], Depends(read_form)]) -> Half:
    """For the pages of somebody who owes a code: nobody else may open them."""
    guard: Guard = request.app.state.guard
    found = guard.half(request)
    if found is None:
        raise NotSignedIn
    if request.method not in ("GET", "HEAD"):
        _check_change(guard, request, found, form)
    return found


half.need = "half"  # type: ignore[attr-defined]


def source(request: Request) -> str:
    """Where a request comes from, for the brake; a line with IPv6 has a whole /64 to choose addresses from."""
    host = request.client.host if request.client else ""
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        if isinstance(address, ipaddress.IPv6Address):
            return str(ipaddress.IPv6Network((address, 64), strict=False))
    return host


def fields(*known: str) -> Callable[..., dict[str, str]]:
    """A form of these fields (and its CSRF token) and no others: an unknown one is refused with 400."""

    def check(form: Annotated[dict[str, str], Depends(read_form)]) -> dict[str, str]:
        if not set(form) <= {*known, "csrf", "proof"}:
            raise HTTPException(400)
        return form

    return check


def _check_change(guard: Guard, request: Request, who: Who | Half, form: dict[str, str]) -> None:
    given = request.headers.get("x-csrf") or form.get("csrf", "")
    if not guard.own_origin(request) or not hmac.compare_digest(str(given).encode(), who.csrf.encode()):
        raise HTTPException(403, "csrf")


def public(request: Request) -> None:
    """A route that anyone may ask for; a change must still come from our own page."""
    guard: Guard = request.app.state.guard
    if request.method not in ("GET", "HEAD") and not guard.own_origin(request):
        raise HTTPException(403, "csrf")


class Headers:
    """Security headers on every answer, also on those that never end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                harden(MutableHeaders(scope=message), scope["path"], secure=scope["app"].state.settings.secure)
            await send(message)

        await self._app(scope, receive, hardened if scope["type"] == "http" else send)


def harden(headers: MutableHeaders, path: str, *, secure: bool) -> None:
    """Adds what is missing. `same-origin` as referrer policy: with `no-referrer` a browser's own forms
    come from the origin `null` (Fetch standard, "append a request Origin header")."""
    headers.setdefault("Content-Security-Policy", _CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
    if secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
