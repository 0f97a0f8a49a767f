"""What devices ask over HTTP: their first certificate, and the next one when the broker does not take them any more.

1. No cookie is looked at; whoever asks proves it by a code or by a key.
2. Nothing here says more to somebody who guesses than that the guess was wrong; guesses are counted (`guesses.py`).
"""

import logging
from collections.abc import Callable
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.db import Connection, Fault
from hub.guard import public
from hub.identity import enrolling
from hub.identity.authority import Authority, BadFolder
from hub.identity.enrolling import No, Wait, Wipe
from hub.identity.task import Identity
from hub.settings import Settings
from hub.signing import Signing
from wire.enrolment import (
    BODY_BYTES,
    ENROL_PATH,
    RENEW_PATH,
    ROOT_PATH,
    Ask,
    Given,
    Late,
    LateAnswer,
    Refusal,
    Waiting,
)

log = logging.getLogger(__name__)
router = APIRouter()
T = TypeVar("T", bound=msgspec.Struct)
R = TypeVar("R")

_DAY_MS = 86_400_000
# A signed time further off than this may be an old request that somebody kept.
_NEAR_MS = 5 * 60_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


async def _body(request: Request) -> bytes:
    """The body, of a size that one of ours has. Refuses anything else with 4xx."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415)
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise HTTPException(413)
    return body


Body = Annotated[bytes, Depends(_body)]


@router.get(ROOT_PATH, dependencies=[Depends(public)])
def root(request: Request) -> Response:
    """The town's root, in PEM: a device that has its SHA-256 can then check every https certificate of the town."""
    authority = _authority(request)
    return authority if isinstance(authority, Response) else Response(authority.root_pem, media_type="text/plain")


@router.post(ENROL_PATH, dependencies=[Depends(public)])
def enrol(request: Request, body: Body) -> Response:
    """A device's first certificate: 200 with it, 202 while a person must look, 4xx with one sentence."""
    authority = _authority(request)
    if isinstance(authority, Response):
        return authority

    def decide(ask: Ask) -> Response:
        done = _write(request, lambda conn: enrolling.enrol(conn, authority, ask, _source(request), pages.now_ms()))
        if isinstance(done, Wait):
            return _json(Waiting(enrolling.ASK_AGAIN_S, done.compare), 202)
        if isinstance(done, No):
            return _no(request, done)
        log.info("%s has enrolled", ask.device)
        if done.withdrew:
            _make_list(request)
        return _json(_given(request, authority, done.text))

    return _answer(request, body, Ask, decide)


@router.post(RENEW_PATH, dependencies=[Depends(public)])
def renew(request: Request, body: Body) -> Response:
    """The next certificate for a device that was away for too long to ask over MQTT."""
    authority = _authority(request)
    if isinstance(authority, Response):
        return authority
    settings: Settings = request.app.state.settings

    def decide(late: Late) -> Response:
        now_ms = pages.now_ms()
        if abs(now_ms - late.at_ms) > _NEAR_MS:
            return _json(Refusal(f"at_ms: found {late.at_ms}, expected the hub's time", now_ms), 409)
        grace_ms = settings.identity.grace_days * _DAY_MS
        done = _write(request, lambda conn: enrolling.renew_late(conn, authority, late, now_ms, grace_ms))
        if isinstance(done, No):
            return _no(request, done)
        if isinstance(done, Wipe):
            log.warning("%s was reported stolen and shows itself again", late.device)
            return _json(LateAnswer(down=done.messages))
        return _json(LateAnswer(chain=done.text))

    return _answer(request, body, Late, decide)


def _answer(request: Request, body: bytes, type_: type[T], decide: Callable[[T], Response]) -> Response:
    """Brake, reading and the world's faults, the same for both."""
    wait_s = request.app.state.guesses.wait_s(_source(request))
    if wait_s:
        answer = _json(Refusal("too many wrong tries; ask again later"), 429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer
    try:
        return decide(msgspec.json.decode(body, type=type_))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _no(request, No(str(error)), 400)
    except Fault as fault:
        log.warning("a device could not be answered: %s", fault)
        return _json(Refusal("the hub cannot write at the moment; ask again later"), 503)


def _write(request: Request, fn: Callable[[Connection], R]) -> R:
    return request.app.state.db.write_now(fn)  # type: ignore[no-any-return]


def _no(request: Request, no: No, status: int = 403) -> Response:
    if no.guess:
        request.app.state.guesses.wrong(_source(request))
    return _json(Refusal(no.error), status)


def _source(request: Request) -> str:
    return request.client.host if request.client else ""


def _authority(request: Request) -> Authority | Response:
    identity: Identity = request.app.state.identity
    try:
        return identity.authority()
    except BadFolder as error:
        log.warning("a device asked for a certificate: %s", error)
        return _json(Refusal("this hub has no issuers yet; `machinaka-provision ca issue` gives it some"), 503)


def _make_list(request: Request) -> None:
    """What was withdrawn goes onto the broker's list; where that fails now, the task does it within a minute."""
    try:
        request.app.state.identity.withdrawn()
    except (BadFolder, OSError, Fault) as error:
        log.warning("the list of the withdrawn could not be made: %s", error)
        request.app.state.identity.wake()


def _given(request: Request, authority: Authority, chain: str) -> Given:
    settings: Settings = request.app.state.settings
    signing: Signing = request.app.state.signing
    host = settings.broker.host
    outside = urlsplit(settings.url).hostname or host
    return Given(
        chain,
        authority.root_pem,
        signing.public,
        outside if host in _LOOPBACK and outside not in _LOOPBACK else host,
        settings.broker.port,
    )


def _json(value: msgspec.Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
