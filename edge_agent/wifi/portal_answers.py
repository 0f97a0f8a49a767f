"""Around every request of the portal: whose it must be, how much of it is taken, which headers its answer has."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from edge_agent.wifi import portal_pages
from edge_agent.wifi.portal_door import Visitor
from edge_agent.wifi.portal_pages import LANGUAGES
from edge_agent.wifi.portal_visit import Reception, Visit

BODY_BYTES = 4096
_BODY_S = 10.0
# Longer than any page takes, shorter than a guest waits.
ANSWER_S = 20.0
HEADERS = {
    "Content-Security-Policy": portal_pages.POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: a browser would then hide where a form of ours came from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}

RECEPTION = web.AppKey("reception", Reception)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is asked under another name, is too long, or never ends, goes no further."""
    response = await _answered(request, handler)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    if not request.app[RECEPTION].is_its_name(request.headers.get("Host", "")):
        return text(421, "this is the portal of the Wi-Fi, and was asked for under another name")
    try:
        async with asyncio.timeout(_BODY_S):
            await request.read()
    except (web.HTTPRequestEntityTooLarge, TimeoutError, OSError):
        return text(413, "more was sent, or slower, than any form of this page")
    except (web.HTTPException, web.RequestPayloadError, ValueError):
        # Chunks, lengths and encodings that are none.
        return text(400, "what was sent cannot be read")
    visitor = request.protocol
    try:
        if isinstance(visitor, Visitor):
            visitor.busy = True
        async with asyncio.timeout(ANSWER_S):
            return await handler(request)
    except web.HTTPException as refusal:
        return _lost(request, refusal)
    except TimeoutError:
        return text(503, "this takes too long; please try again")
    finally:
        if isinstance(visitor, Visitor):
            visitor.busy = False


def _lost(request: web.Request, refusal: web.HTTPException) -> web.Response:
    """Where there is nothing, or only a form's target: back to the page."""
    if request.method not in ("GET", "HEAD", "POST") or request.path.endswith((".ico", ".png", ".txt", ".json")):
        return text(refusal.status, refusal.reason)
    first = request.path.lstrip("/").partition("/")[0]
    return to(f"/{first}/" if first in LANGUAGES else "/")


def text(status: int, words: str) -> web.Response:
    """One plain sentence for whoever is no guest with a browser; the connection ends."""
    response = web.Response(status=status, text=words + "\n")
    response.force_close()
    return response


def to(where: str) -> web.Response:
    """On to a page."""
    return web.Response(status=303, headers={"Location": where})


def html(text: str, status: int = 200) -> web.Response:
    """A page."""
    return web.Response(status=status, text=text, content_type="text/html")


def peer(request: web.Request) -> str:
    """The address of the network that asks, as the kernel says."""
    transport = request.transport
    peer = transport.get_extra_info("peername") if transport else None
    return str(peer[0]) if peer else ""


async def look(request: web.Request) -> Visit:
    """Who asks, and how it stands with them."""
    return await request.app[RECEPTION].look(peer(request))
