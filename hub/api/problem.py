"""Errors of the API as RFC 9457 has them: `application/problem+json` with one plain sentence."""

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from hub.db import Fault

MEDIA = "application/problem+json"


class Problem(BaseModel):
    """Why a request was not carried out; `detail` says what was found, where, and what was expected."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Refused(Exception):
    """A request that is not carried out: the answer's status and one plain sentence."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def answer(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The answer that says so."""
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, media_type=MEDIA)


def refused(_request: Request, error: Exception) -> JSONResponse:
    """For our own refusals."""
    assert isinstance(error, Refused)  # noqa: S101 (it is registered for these)
    return answer(error.status, error.detail, error.headers)


def of_http(request: Request, error: Exception) -> JSONResponse:
    """For those of the framework: no such address, no such method, a body that is no JSON."""
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for these)
    if error.status_code == 405:
        # The framework names the methods of one route only; an address has several.
        return answer(405, "this address knows no such method", {"Allow": ", ".join(_methods(request))})
    said = {404: "there is nothing at this address"}
    return answer(error.status_code, said.get(error.status_code, str(error.detail)), dict(error.headers or {}))


def _methods(request: Request) -> list[str]:
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        route = context.original_route
        if isinstance(route, Route) and route.matches(request.scope)[0] != Match.NONE:
            found |= route.methods or set()
    return sorted(found)


def of_values(_request: Request, error: Exception) -> JSONResponse:
    """For values that do not fit: the first one, with its place."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (it is registered for these)
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return answer(422, f"{place}: {first['msg'][:1].lower()}{first['msg'][1:]}")


def of_fault(_request: Request, _error: Exception) -> JSONResponse:
    """For a database that is locked or full."""
    return answer(503, "the hub's database takes nothing at present; try again", {"Retry-After": "5"})


def of_mistake(_request: Request, _error: Exception) -> JSONResponse:
    """For a mistake of ours."""
    return answer(500, "the hub made a mistake; its log tells more")


HANDLERS: tuple[tuple[type[Exception], Any], ...] = (
    (Refused, refused),
    (HTTPException, of_http),
    (RequestValidationError, of_values),
    (Fault, of_fault),
    (Exception, of_mistake),
)

_SAID = {
    400: "The request cannot be read.",
    401: "There is no token, or it is not good (any more).",
    403: "The token has not the scope, or its maker's role does not cover it.",
    404: "There is no such thing.",
    409: "It cannot be done as things stand.",
    413: "The request is too long.",
    422: "A value does not fit.",
    503: "The hub's database takes nothing at present.",
}
# What each route may answer besides its own, for the document.
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": said, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, said in _SAID.items()
}
