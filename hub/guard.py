"""What every request passes: who it is, whether they may, whether it came from our own page.

1. The session's token lies in a signed cookie; the session itself in the database, where it can be ended.
2. A change carries the session's CSRF token and comes from our own origin.
3. Failed sign-ins slow down, for the name and for the address, whether the name exists or not.
"""

import hashlib
import hmac
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, HTTPException, Request, Response
from itsdangerous import BadSignature, Signer

from hub import people
from hub.access import Need, may
from hub.db import Db
from hub.people import Person
from hub.settings import Settings

_CSP = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


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
        self._signer = Signer(secret, salt="machinaka session")
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
        """Who asks, or None. Reads the database: not on the event loop."""
        try:
            token = self._signer.unsign(request.cookies.get(self.cookie, "")).decode()
        except (BadSignature, UnicodeDecodeError):
            return None
        now_ms = time.time_ns() // 1_000_000
        person, stale = self._db.read(lambda conn: people.in_session(conn, token, now_ms))
        if person is None:
            return None
        if stale:
            self._db.write_now(lambda conn: people.seen(conn, token, now_ms))
        return Who(person, token, self.csrf(token))

    def own_origin(self, request: Request) -> bool:
        """Whether a change comes from our own page (a browser says so; other programs have no cookie to steal)."""
        origin = request.headers.get("origin")
        if origin is None:
            return request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        return urlsplit(origin).netloc == request.headers.get("host")


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, of at most 64 KiB, as text."""
    if request.method in ("GET", "HEAD"):
        return {}
    if int(request.headers.get("content-length", "0") or 0) > 65536:
        raise HTTPException(413)
    form = await request.form(max_files=0, max_fields=50)
    return {key: value for key, value in form.items() if isinstance(value, str)}


def need(what: Need) -> Callable[..., Who]:
    """A route's need: signed in, allowed, and for changes the right token from our own page."""

    def check(request: Request, form: Annotated[dict[str, str], Depends(read_form)]) -> Who:
        guard: Guard = request.app.state.guard
        who = guard.who(request)
        if who is None:
            raise NotSignedIn
        if not who.may(what):
            raise HTTPException(403)
        request.state.who = who
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


async def headers(request: Request, following: Callable[[Request], Awaitable[Response]]) -> Response:
    """Security headers on every answer."""
    response = await following(request)
    response.headers.setdefault("Content-Security-Policy", _CSP)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not request.url.path.startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.app.state.settings.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def read_secret(folder: Path) -> bytes:
    """The key that signs cookies, made at first start (readable by the hub alone)."""
    path = folder / "session.key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
        temporary.replace(path)
    return path.read_bytes()


class Brake:
    """Slows guessing down: after five failures a key waits, twice as long each time, at most 15 minutes."""

    _FREE = 5
    _LONGEST_S = 900
    _KEYS = 10_000

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, *keys: str) -> int:
        """How long these keys have to wait now; 0 when they need not."""
        now = self._clock_s()
        return max(0, *(int(self._failures.get(key, (0, 0.0))[1] - now + 0.999) for key in keys))

    def failed(self, *keys: str) -> None:
        """One more failure of each key."""
        for key in keys:
            count = self._failures.pop(key, (0, 0.0))[0] + 1
            pause = min(self._LONGEST_S, 2 ** min(20, count - self._FREE)) if count >= self._FREE else 0
            self._failures[key] = (count, self._clock_s() + pause)
            if len(self._failures) > self._KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """The right password: the name begins anew."""
        self._failures.pop(key, None)
