"""The tablet's page: every page is whole from here and works without a script; the script only keeps it fresh."""

import asyncio
import contextlib
from pathlib import Path

import msgspec
from aiohttp import web

from edge_agent.kiosk.screen import View
from edge_agent.tablet import acts, views
from edge_agent.tablet.desk import PAGES, Desk, NoSuchPage, here, view
from edge_agent.tablet.door import DESK, HEADERS, guard, shown

_HERE = Path(__file__).parent
_HEARTBEAT_S = 5
_RETRY_MS = 1000
# A paper is shown in a frame of this page, and the browser's own viewer needs no rule for what is inside.
_FILE_POLICY = "frame-ancestors 'self'"


def make_app(desk: Desk) -> web.Application:
    """The pages."""
    app = web.Application(middlewares=[guard], client_max_size=64 * 1024)
    app[DESK] = desk
    for path in PAGES:
        app.router.add_get(path, _page)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/events", _events)
    app.router.add_get("/files/{digest}", _file)
    acts.add_to(app)
    app.router.add_static("/static", _HERE / "static")
    return app


async def _page(request: web.Request) -> web.StreamResponse:
    return await shown(request, await view(request.app[DESK], request.path))


async def _healthz(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    return web.json_response({"state": desk.screen.view.state, "onlookers": desk.screen.onlookers})


async def _events(request: web.Request) -> web.StreamResponse:
    """What the script goes by: each view, and every few seconds how everything is."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", **HEADERS})
    await response.prepare(request)
    await response.write(b"retry: %d\n\n" % _RETRY_MS)
    desk = request.app[DESK]
    with desk.screen.onlooker() as looking, contextlib.suppress(ConnectionResetError):
        while True:
            now = desk.screen.view
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_HEARTBEAT_S):
                    now = await looking.get()
            await response.write(await _event(desk, now))
    return response


async def _event(desk: Desk, now: View) -> bytes:
    stamp = desk.clock.stamp()
    told = {
        "state": now.state,
        "name": now.name,
        "here": await here(desk),
        "speaking": desk.senses.speaking,
        "time": views.time_of_day(stamp.at_ms) if stamp.clock != "unset" else "",
        "date": views.day(desk.words, stamp.at_ms) if stamp.clock != "unset" else "",
    }
    return b"data: " + msgspec.json.encode(told) + b"\n\n"


async def _file(request: web.Request) -> web.StreamResponse:
    """A file of an item that is shown now, as the kind that the town says it is."""
    desk, digest = request.app[DESK], request.match_info["digest"]
    files = {file.digest: file for item in desk.library.items() for file in item.files}
    path = desk.library.file(digest)
    if digest not in files or path is None:
        raise NoSuchPage
    headers = {"Content-Type": files[digest].media_type, "Content-Security-Policy": _FILE_POLICY}
    return web.FileResponse(path, headers=headers)
