"""The terminal's page: on this machine only, for the browser in front of people.

1. Requests must name this host (no other site's name may lead here), and changes must come from this page.
2. The page is pushed each view (server-sent events); it asks for nothing.
3. The clock on the page is the agent's, not the browser's.
"""

import asyncio
import contextlib
import hashlib
import html
import socket
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from aiohttp import web

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.kiosk.screen import Screen, View, Wish
from edge_agent.settings import KioskSettings
from wire.messages import Direction

T = TypeVar("T", bound=msgspec.Struct)

_HERE = Path(__file__).parent
_HEARTBEAT_S = 5
# How soon the page asks again when the agent was away.
_RETRY_MS = 500
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}

_SCREEN = web.AppKey("screen", Screen)
_CLOCK = web.AppKey("clock", Clock)
_SETTINGS = web.AppKey("settings", KioskSettings)
_HOLDER = web.AppKey("holder", Holder)


class _Choice(msgspec.Struct, frozen=True):
    """The direction of the next tap."""

    direction: Direction


class _Answer(msgspec.Struct, frozen=True):
    """The answer to the question of view `number`."""

    number: int
    direction: Direction


class _Wish(msgspec.Struct, frozen=True):
    """What is wanted of benefits on view `number`."""

    number: int
    do: Literal["open", "choose", "leave", "take_back"]
    code: Annotated[str, msgspec.Meta(max_length=200)] = ""
    units: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1


def listen(host: str, port: int) -> socket.socket:
    """The socket of the page. Raises OSError when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def make_app(screen: Screen, clock: Clock, settings: KioskSettings, holder: Holder | None = None) -> web.Application:
    """The page and its events; language, contact and sound as they are ordered at the moment."""
    app = web.Application(middlewares=[_guard])
    app[_HOLDER] = holder or Holder(Effective(language=settings.language, contact=settings.contact))
    app[_SCREEN], app[_CLOCK], app[_SETTINGS] = screen, clock, settings
    app.router.add_get("/", _page)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/events", _events)
    app.router.add_post("/direction", _direction)
    app.router.add_post("/answer", _answer)
    app.router.add_post("/benefit", _benefit)
    app.router.add_static("/static", _HERE / "static")
    return app


async def serve(app: web.Application, listening: socket.socket) -> None:
    """Serves until cancelled."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        _admit(request)
        response = await handler(request)
    except web.HTTPException as refusal:
        refusal.headers.update(_HEADERS)
        raise
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def _admit(request: web.Request) -> None:
    """Raises HTTPForbidden for another host's name, and for a change that another site's page asks for."""
    port = request.app[_SETTINGS].port
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if request.host not in hosts:
        raise web.HTTPForbidden(text="this page is for the terminal itself")
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin not in {f"http://{host}" for host in hosts}:
        raise web.HTTPForbidden(text="only the terminal's own page may do this")


async def _page(request: web.Request) -> web.Response:
    now = request.app[_HOLDER].now
    language = "en" if request.query.get("lang", now.language) == "en" else "ja"
    text = (_HERE / "page.html").read_text(encoding="utf-8")
    text = text.replace("{lang}", language).replace("{page}", _page_name(now))
    text = text.replace("{contact}", html.escape(now.contact))
    return web.Response(text=text, content_type="text/html")


async def _healthz(request: web.Request) -> web.Response:
    screen = request.app[_SCREEN]
    return web.json_response({"state": screen.view.state, "onlookers": screen.onlookers})


async def _events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_HEADERS})
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % _RETRY_MS)
    screen, clock = request.app[_SCREEN], request.app[_CLOCK]
    with screen.onlooker() as views, contextlib.suppress(ConnectionResetError):
        while True:
            view = screen.view
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARTBEAT_S):
                    view = await views.get()
            await response.write(_event(view, clock.now_ms(), request.app[_HOLDER].now))
    return response


def _event(view: View, now_ms: int, now: Effective) -> bytes:
    volume = now.volume if now.sound else 0
    more = {"now_ms": now_ms, "volume": volume, "page": _page_name(now), "benefits": now.benefits}
    return b"data: " + msgspec.json.encode({**asdict(view), **more}) + b"\n\n"


def _page_name(now: Effective) -> str:
    """Another name when the page that stands there is out of date and should be fetched anew."""
    return hashlib.sha256(f"{now.language} {now.contact}".encode()).hexdigest()[:16]


async def _direction(request: web.Request) -> web.Response:
    request.app[_SCREEN].choose((await _body(request, _Choice)).direction)
    return web.json_response({})


async def _answer(request: web.Request) -> web.Response:
    answer = await _body(request, _Answer)
    if not request.app[_SCREEN].answer_question(answer.number, answer.direction):
        raise web.HTTPConflict(text="this question is no longer on the screen")
    return web.json_response({})


async def _benefit(request: web.Request) -> web.Response:
    wish = await _body(request, _Wish)
    if not request.app[_SCREEN].wish(Wish(wish.number, wish.do, wish.code, wish.units)):
        raise web.HTTPConflict(text="the screen shows something else by now")
    return web.json_response({})


async def _body(request: web.Request, type_: type[T]) -> T:
    """A request's JSON. Raises HTTPBadRequest."""
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except msgspec.MsgspecError as error:
        raise web.HTTPBadRequest(text=f"expected {', '.join(type_.__struct_fields__)} as JSON; {error}") from error
