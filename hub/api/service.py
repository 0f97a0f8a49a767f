"""One place that builds the API: its routes under `/api/v1`, its document, its errors, the length of a request."""

from importlib import metadata
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.datastructures import State
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api import alerts, audit_log, devices, enrolment, orders, persons, policy, problem, punches, rollouts
from hub.api.gate import Given, calling
from hub.api.policy import layer_schemas
from hub.api.problem import Problem

ROOT = "/api/v1"
# A document for a device fits; whoever sends more sends none.
_BODY_BYTES = 65_536

_ABOUT = """\
Everything of the town's devices, for other programs. A token is made in Settings → Tokens, shown once, has scopes and
an end, and never may more than whoever made it. What a token does stands in the audit log under that person's name.

Times are milliseconds of UTC. A list comes in parts: `next` is the `cursor` of the part after it. Errors are problems
as RFC 9457 has them, with one plain sentence in `detail`.
"""
_ROUTERS = (devices, punches, alerts, orders, policy, rollouts, enrolment, persons, audit_log)


def make_api(state: State) -> FastAPI:
    """The API, as an app of its own within the hub's, with which it shares its state."""
    api = FastAPI(
        title="machinaka",
        version=metadata.version("machinaka"),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    api.state = state
    api.add_middleware(Limit)
    for error, handler in problem.HANDLERS:
        api.add_exception_handler(error, handler)
    for module in _ROUTERS:
        api.include_router(module.router, responses=problem.RESPONSES, generate_unique_id_function=_name)
    api.get("/openapi.json", dependencies=[Depends(reader)], include_in_schema=False)(_document)
    return api


def reader(request: Request, given: Given) -> None:
    """Who may read the document: a good token, or somebody who is signed in."""
    if given is None and request.app.state.guard.peek(request) is not None:
        return
    calling(request, given)


reader.need = "own"  # type: ignore[attr-defined]


def _name(route: APIRoute) -> str:
    return route.name


def _document(request: Request) -> JSONResponse:
    """The API's own description (OpenAPI 3.1)."""
    return JSONResponse(document(request.app))


def document(api: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with each route's scope, and problems as what they are."""
    found = get_openapi(
        title="machinaka",
        version=api.version,
        description=_ABOUT,
        routes=api.routes,
        servers=[{"url": ROOT}],
    )
    schemas = found["components"]["schemas"]
    schemas["Problem"] = Problem.model_json_schema()
    schemas |= layer_schemas()
    schemas["Saying"]["properties"]["document"] = {"$ref": "#/components/schemas/Layer"}
    for context in iter_route_contexts(api.routes):
        route = context.original_route
        if isinstance(route, APIRoute) and route.include_in_schema:
            _tell_scope(route, found["paths"][route.path_format])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return found


def _tell_scope(route: APIRoute, path: dict[str, Any]) -> None:
    """Which scope opens a route; and an address has no `null` in it, so its parameters have none."""
    (scope,) = {getattr(one.call, "scope", "") for one in route.dependant.dependencies} - {""}
    for method in route.methods or ():
        operation = path[method.lower()]
        operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
        operation["x-scope"] = scope
        for parameter in operation.get("parameters", ()):
            several = parameter["schema"].pop("anyOf", [])
            parameter["schema"] |= next((one for one in several if one != {"type": "null"}), {})


class Limit:
    """Refuses a body that is too long before it is in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, as long as its body is no longer than it may be."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read, body = 0, b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return
            body += message.get("body", b"")
            read = len(body)
            if read > _BODY_BYTES:
                refusal = problem.answer(413, f"a body is at most {_BODY_BYTES} bytes long")
                await refusal(scope, receive, send)
                return
            if not message.get("more_body"):
                break
        given = False

        async def again() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, again, send)
