"""Who may ask the tablet's page, and how it answers: on this machine only, for the browser before its resident.

1. Requests must name this host (no other site's name may lead here), and changes must come from this page.
2. A locked tablet shows nothing but that.
3. What could not be put on the disk is said, on a page that tells whom to call.
"""

from collections.abc import Awaitable, Callable

from aiohttp import web

from edge_agent.tablet import views
from edge_agent.tablet.desk import FAULTS, Desk, NoSuchPage, around
from edge_agent.tablet.page import Page, document

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DESK = web.AppKey("desk", Desk)
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: forms would come without an origin then.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    desk = request.app[DESK]
    try:
        _admit(request, desk.port)
        response = await _within(request, handler, desk)
    except web.HTTPNotFound:
        response = await shown(request, views.gone(desk.words), status=404)
    except web.HTTPException as refusal:
        refusal.headers.update(HEADERS)
        raise
    if not response.prepared:
        response.headers.update({name: value for name, value in HEADERS.items() if name not in response.headers})
    return response


async def _within(request: web.Request, handler: Handler, desk: Desk) -> web.StreamResponse:
    if desk.screen.locked and request.path not in ("/events", "/healthz") and not request.path.startswith("/static/"):
        view = desk.screen.view
        return await shown(request, views.shut(view.state, view.name))
    try:
        return await handler(request)
    except NoSuchPage:
        return await shown(request, views.gone(desk.words), status=404)
    except FAULTS:
        return await shown(request, views.not_kept(desk.words, desk.library.shelf.telephones, "/"), status=503)


def _admit(request: web.Request, port: int) -> None:
    """Raises HTTPForbidden for another host's name, and for a change that another site's page asks for."""
    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    if request.host not in hosts:
        raise web.HTTPForbidden(text="this page is for the tablet itself")
    origin = request.headers.get("Origin")
    foreign = request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    if request.method == "POST" and (foreign or (origin is not None and origin not in {f"http://{h}" for h in hosts})):
        raise web.HTTPForbidden(text="only the tablet's own page may do this")


async def shown(request: web.Request, page: Page, *, status: int = 200) -> web.Response:
    """A page as an answer."""
    text = document(page, await around(request.app[DESK], request.path))
    return web.Response(text=text, content_type="text/html", status=status)


def to(path: str) -> web.Response:
    """Leads on to another page, after something was done."""
    return web.Response(status=303, headers={"Location": path})
