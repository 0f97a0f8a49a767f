"""The terminal's page: on this machine only, for the browser in front of people.

1. Requests must name this host (no other site's name may lead here), and changes must come from this page.
2. The page is pushed each view (server-sent events); it asks for nothing.
3. The clock on the page is the agent's, not the browser's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import msgspec
from aiohttp import web

from edge_agent.clock import Clock
from edge_agent.kiosk.screen import Screen, View
from edge_agent.settings import KioskSettings
from wire.messages import Direction

_HERE = Path(__file__).parent
_HEARTBEAT_S = 5
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'"
)

_SCREEN = web.AppKey("screen", Screen)
_CLOCK = web.AppKey("clock", Clock)
_SETTINGS = web.AppKey("settings", KioskSettings)


def make_app(screen: Screen, clock: Clock, settings: KioskSettings) -> web.Application:
    """The page and its events."""
    app = web.Application(middlewares=[_guard])
    app[_SCREEN], app[_CLOCK], app[_SETTINGS] = screen, clock, settings
    app.router.add_get("/", _page)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/events", _events)
    app.router.add_post("/direction", _direction)
    app.router.add_post("/answer", _answer)
    app.router.add_static("/static", _HERE / "static")
    return app


async def serve(app: web.Application, host: str, port: int) -> None:
    """Serves until cancelled."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    port = request.app[_SETTINGS].port
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if request.host not in hosts:
        raise web.HTTPForbidden(text="this page is for the terminal itself")
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin.removeprefix("http://") not in hosts:
        raise web.HTTPForbidden(text="only the terminal's own page may do this")
    response = await handler(request)
    if not response.prepared:
        response.headers["Content-Security-Policy"] = _POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
    return response


async def _page(request: web.Request) -> web.Response:
    language = request.query.get("lang", request.app[_SETTINGS].language)
    text = (_HERE / "page.html").read_text(encoding="utf-8")
    return web.Response(text=text.replace("{lang}", "en" if language == "en" else "ja"), content_type="text/html")


async def _healthz(request: web.Request) -> web.Response:
    return web.json_response({"state": request.app[_SCREEN].view.state})


async def _events(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    views = request.app[_SCREEN].views()
    following: asyncio.Future[View] = asyncio.ensure_future(anext(views))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=_HEARTBEAT_S)
            if done:
                view = following.result()
                following = asyncio.ensure_future(anext(views))
            else:
                view = request.app[_SCREEN].view
            await response.write(_event(view, request.app[_CLOCK].now_ms()))
    except ConnectionResetError:
        return response
    finally:
        following.cancel()


def _event(view: View, now_ms: int) -> bytes:
    return b"data: " + msgspec.json.encode({**asdict(view), "now_ms": now_ms}) + b"\n\n"


async def _direction(request: web.Request) -> web.Response:
    request.app[_SCREEN].choose(await _direction_in(request))
    return web.json_response({})


async def _answer(request: web.Request) -> web.Response:
    request.app[_SCREEN].answer_question(await _direction_in(request))
    return web.json_response({})


async def _direction_in(request: web.Request) -> Direction:
    """The direction in a request's JSON. Raises HTTPBadRequest."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Direction])["direction"]
    except (msgspec.MsgspecError, KeyError) as error:
        allowed = " or ".join(get_args(Direction))
        raise web.HTTPBadRequest(text=f'expected {{"direction": {allowed}}}') from error
