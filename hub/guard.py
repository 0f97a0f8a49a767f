"""What every request passes: who it is, whether they may, whether it came from our own page.

1. The session's token lies in a signed cookie; the session itself in the database, where it can be ended.
2. A change carries the session's CSRF token and comes from our own origin.
3. Every answer carries the headers that keep a browser from being turned against its user.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec
from fastapi import Depends, HTTPException, Request, Response
from itsdangerous import BadSignature, Signer
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub import people
from hub.access import Need, may
from hub.db import Db, Fault
from hub.people import Person
from hub.settings import Settings

_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The largest form is a welcome: a token, a name, a password.
_FORM_BYTES = 65_536
_FORM_FIELDS = 50
_KEY_BYTES = 32


class NotSignedIn(Exception):
    """The page needs somebody to be signed in."""


class Who(msgspec.Struct, frozen=True):
    """Who asks: the person, their session's token and what its forms must carry."""

    person: Person
    token: str
    csrf: str

    def may(self, need: Need) -> bool:
        """Whether this person may."""
        return may(self.person.role, need)


class Guard:
    """Signs cookies and knows sessions. One a hub."""

    def __init__(self, settings: Settings, db: Db) -> None:
        self._settings, self._db = settings, db
        secret = read_secret(Path(settings.state_dir))
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
        token, now_ms = self._token(request), _now_ms()
        person, stale = self._db.read(lambda conn: people.in_session(conn, token, now_ms))
        if person is None:
            return None
        if stale:
            # On a full disk the pages can still be read; the session then ends a little early.
            with contextlib.suppress(Fault):
                self._db.write_now(lambda conn: people.seen(conn, token, now_ms))
        return Who(person, token, self.csrf(token))

    def peek(self, request: Request) -> Who | None:
        """The same, but a page that asks by itself does not keep its session from growing old."""
        token = self._token(request)
        person, _ = self._db.read(lambda conn: people.in_session(conn, token, _now_ms()))
        return Who(person, token, self.csrf(token)) if person else None

    def _token(self, request: Request) -> str:
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


def need(what: Need) -> Callable[..., Who]:
    """A route's need: signed in, allowed, and for changes the right token from our own page."""

    def check(request: Request, form: Annotated[dict[str, str], Depends(read_form)]) -> Who:
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


def _check_change(guard: Guard, request: Request, who: Who, form: dict[str, str]) -> None:
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


def read_secret(folder: Path) -> bytes:
    """The key that signs cookies, made at first start (readable by the hub alone); a broken one is made anew."""
    path = folder / "session.key"
    with contextlib.suppress(FileNotFoundError):
        kept = path.read_bytes()
        if len(kept) == _KEY_BYTES:
            return kept
    folder.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    secret = secrets.token_bytes(_KEY_BYTES)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return secret
