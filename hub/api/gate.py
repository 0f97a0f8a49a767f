"""Who calls: a token, its scopes, and the person who made it and whose role it never exceeds.

1. A token is good while it is not revoked, not past its end, and its maker may sign in.
2. It opens a route when it has the route's scope and its maker's role covers what that needs, at this moment.
3. No cookie opens a route, so no page of somebody else's can make a browser call it.
"""

import contextlib
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from hub import pages, people
from hub.access import may
from hub.api import token_store
from hub.api.problem import Refused
from hub.api.scope import NEED_OF, Scope
from hub.api.token_store import Token
from hub.db import Connection, Fault
from hub.people import Person

BEARER = HTTPBearer(scheme_name="token", description="A token from Settings → Tokens.", auto_error=False)
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]


class Caller(msgspec.Struct, frozen=True):
    """A good token and its maker."""

    token: Token
    person: Person

    @property
    def who(self) -> str:
        """The name in the audit log: whoever made the token, and which one it was."""
        return self.person.name


def scope(name: Scope) -> Callable[..., Caller]:
    """A route's scope: a good token that has it, of somebody whose role still covers it."""

    def check(request: Request, given: Given) -> Caller:
        caller = calling(request, given)
        _refuse_unknown(request)
        if name not in caller.token.scopes:
            raise Refused(403, f"this token has not the scope {name}")
        if not may(caller.person.role, NEED_OF[name]):
            raise Refused(403, f"the role of {caller.person.name}, who made this token, does not cover {name}")
        return caller

    check.scope = name  # type: ignore[attr-defined]
    check.need = NEED_OF[name]  # type: ignore[attr-defined]
    return check


def calling(request: Request, given: HTTPAuthorizationCredentials | None) -> Caller:
    """Who calls. Raises Refused (401)."""
    if given is None:
        raise Refused(401, "there is no token; expected `Authorization: Bearer machinaka_…`", _ASK)
    now_ms = pages.now_ms()
    found: Caller | None = request.app.state.db.read(lambda conn: _find(conn, given.credentials, now_ms))
    if found is None:
        raise Refused(401, "this token is not known, was revoked, or is past its end", _ASK)
    if token_store.is_stale(found.token, now_ms):
        # On a full disk what is asked can still be answered.
        with contextlib.suppress(Fault):
            request.app.state.db.write_now(lambda conn: token_store.used(conn, found.token.id, now_ms))
    return found


def _refuse_unknown(request: Request) -> None:
    """A filter that is misspelt must not give everything."""
    known = _known(request.scope["route"]) if request.query_params else frozenset()
    for name in request.query_params:
        if name not in known:
            expected = f"one of {', '.join(sorted(known))}" if known else "none"
            raise Refused(422, f"query: found {name[:40]!r}, expected {expected}")


def _known(route: APIRoute) -> frozenset[str]:
    return frozenset(one.alias for one in get_flat_params(route.dependant) if isinstance(one.field_info, Query))


_ASK = {"WWW-Authenticate": "Bearer"}


def _find(conn: Connection, text: str, now_ms: int) -> Caller | None:
    token = token_store.find(conn, text)
    if token is None or not token.is_good(now_ms):
        return None
    person = people.by_id(conn, token.person_id)
    return None if person is None or person.disabled else Caller(token, person)
