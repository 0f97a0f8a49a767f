"""The portal: what a guest's phone sees when it comes onto the town's Wi-Fi, and the API that it asks (RFC 8908).

1. Pages by HTTPS under the name and with the certificate of the kit; a press of a button is a POST, its answer 303,
   then a page. No script, no cookie, no storage: the mini-browsers of phones forget everything between two openings.
2. What a page promises is on disk before: `Guests` returns only then. Nothing here waits for the hub.
3. A POST counts only from a device of the guests' network, with the token made for it. What a client sends is limited
   in size and time before anything is made of it.
4. On port 80 whoever is captive is led to the portal, whatever they asked for; no such answer may be kept, and none
   keeps its connection.
5. Nothing of a request is logged.
"""

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from functools import partial

from aiohttp import web

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.settings import WifiSettings
from edge_agent.wifi import accept, capport, portal_pages, portal_views, probe
from edge_agent.wifi.guests import ModeNow
from edge_agent.wifi.neighbour import address_of
from edge_agent.wifi.portal_acts import ACTS, act
from edge_agent.wifi.portal_answers import ANSWER_S, BODY_BYTES, HEADERS, RECEPTION, Handler, guard, html, look, text
from edge_agent.wifi.portal_door import USUAL, Bounds, Door, Visitor
from edge_agent.wifi.portal_pages import Around
from edge_agent.wifi.portal_tls import Certificates
from edge_agent.wifi.portal_visit import Host, Kits, Neighbours, Reception, Visit, desk_address

log = logging.getLogger(__name__)

_LISTEN_AGAIN_S = 5.0
_LANGUAGE = "{language:ja|ja-easy|en|zh-Hans|zh-Hant|ko}"
# Where nothing else is said, a desk's portal is for this machine alone.
_DESK = "127.0.0.1"


async def run(  # the whole of a portal
    settings: WifiSettings,
    guests: Host,
    kit: Kits,
    holder: Holder,
    *,
    mode: Callable[[], ModeNow],
    online: Callable[[], bool],
    clock: Clock,
) -> None:
    """The portal of an access point until cancelled. `online`: the hub can be reached now."""
    on_desk = settings.enforce == "nothing"
    reception = Reception(
        guests,
        kit,
        holder,
        desk_address if on_desk else Neighbours(partial(address_of, bridge=settings.guests)).of,
        mode=mode,
        online=online,
        clock_sure=lambda: clock.stamp().clock != "unset",
        https_port=settings.https_port,
        desk=frozenset({settings.listen or _DESK, "localhost"}) if on_desk else frozenset(),
    )
    while True:
        http, https = await listen(settings)
        # A bridge that was made anew is another one to the kernel: its guests would find nobody here.
        bridge = _index(settings)
        serving = asyncio.create_task(serve(reception, http, https), name="portal")
        try:
            while not serving.done() and _index(settings) in (bridge, 0):
                await asyncio.wait([serving], timeout=_LISTEN_AGAIN_S)
            if serving.done():
                await serving
        finally:
            serving.cancel()
            await asyncio.wait([serving])


def _index(settings: WifiSettings) -> int:
    """The kernel's number of the guests' bridge; 0 while there is none."""
    try:
        return socket.if_nametoindex(settings.guests)
    except OSError:
        return 0


def make_portal(reception: Reception) -> web.Application:
    """The pages and the API, for the port with TLS."""
    app = web.Application(middlewares=[guard], client_max_size=BODY_BYTES)
    app[RECEPTION] = reception
    router = app.router
    router.add_get("/", portal_views.first)
    router.add_get(capport.PATH, _api)
    router.add_get(f"/{_LANGUAGE}/", portal_views.page)
    router.add_get(f"/{_LANGUAGE}/terms", portal_views.terms)
    router.add_get(f"/{_LANGUAGE}/voucher", portal_views.voucher_form)
    router.add_get(f"/{_LANGUAGE}/mail", portal_views.mail_form)
    for name, doing in ACTS.items():
        router.add_post(f"/{_LANGUAGE}/{name}", partial(act, doing))
    return app


def make_probes(reception: Reception) -> web.Application:
    """What is answered on port 80, whatever is asked for and of whom."""
    app = web.Application(middlewares=[_probes], client_max_size=BODY_BYTES)
    app[RECEPTION] = reception
    return app


async def serve(
    reception: Reception, http: Sequence[socket.socket], https: Sequence[socket.socket], *, bounds: Bounds = USUAL
) -> None:
    """Serves both until cancelled, on sockets that are bound already, and closes them. A kit that comes later counts at
    once."""
    certificates = Certificates(lambda: reception.kit.now)
    portal, probes = (
        web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        for app in (make_portal(reception), make_probes(reception))
    )
    try:
        await portal.setup()
        await probes.setup()
        doors = [(Door(portal, certificates.now, bounds), one) for one in https]
        doors += [(Door(probes, None, bounds), one) for one in http]
        async with asyncio.TaskGroup() as tasks:
            for door, listening in doors:
                tasks.create_task(door.serve(listening), name="portal door")
    finally:
        await portal.cleanup()
        await probes.cleanup()
        for listening in (*http, *https):
            listening.close()


async def listen(settings: WifiSettings) -> tuple[list[socket.socket], list[socket.socket]]:
    """The sockets of both ports: on the address that is said, or on the guests' bridge alone. Waits for the bridge."""
    told = False
    while True:
        try:
            return _bound(settings, settings.http_port), _bound(settings, settings.https_port)
        except OSError as error:
            if not told:
                log.warning("the portal cannot listen yet: %s", error.strerror or error)
            told = True
            await asyncio.sleep(_LISTEN_AGAIN_S)


def _bound(settings: WifiSettings, port: int) -> list[socket.socket]:
    host = settings.listen or (_DESK if settings.enforce == "nothing" else "")
    if host:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [socket.create_server((host, port), family=family)]
    bound: list[socket.socket] = []
    try:
        for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):  # noqa: S104 (on the bridge alone)
            one = socket.socket(family, socket.SOCK_STREAM)
            bound.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            # Nobody comes in from the uplink or the office, whatever addresses the bridge has.
            one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, settings.guests.encode() + b"\0")
            one.bind((host, port))
    except OSError:
        for one in bound:
            one.close()
        raise
    return bound


# ---- the API (RFC 8908) and the probes


async def _api(request: web.Request) -> web.Response:
    reception = request.app[RECEPTION]
    if not accept.wants_capport(", ".join(request.headers.getall("Accept", [])) or None):
        return web.Response(status=302, headers={"Location": reception.portal_url(), **capport.HEADERS})
    visit, kit = await look(request), reception.kit.now
    if kit is None or not visit.address:
        # Never a 200: the client would take it for an answer (RFC 8908, 5).
        return web.Response(
            status=403, text="only devices of the guests' network have a state\n", headers=capport.HEADERS
        )
    body = capport.answer(_remaining(visit), reception.portal_url(), kit.venue_url)
    return web.Response(body=body, headers={"Content-Type": capport.CONTENT_TYPE, **capport.HEADERS})


def _remaining(visit: Visit) -> capport.Remaining | None:
    if visit.mode == "disaster":
        return capport.Remaining()
    one = visit.standing
    if one is None:
        return None
    return capport.Remaining(one.seconds_left, one.bytes_left, one.extensions_left > 0)


@web.middleware
async def _probes(request: web.Request, handler: Handler) -> web.StreamResponse:
    visitor = request.protocol
    try:
        if isinstance(visitor, Visitor):
            visitor.busy = True
        async with asyncio.timeout(ANSWER_S):
            response = await _probed(request)
    except TimeoutError:
        response = text(503, "this takes too long; please try again")
    finally:
        if isinstance(visitor, Visitor):
            visitor.busy = False
    response.headers["Cache-Control"] = "no-store"
    # A connection from before the session began must not outlive it: it would lead here still.
    response.force_close()
    return response


async def _probed(request: web.Request) -> web.Response:
    reception, host = request.app[RECEPTION], request.headers.get("Host", "")
    kit = reception.kit.now
    if kit is None:
        language = accept.language(request.headers.get("Accept-Language"))
        response = html(portal_pages.not_ready(Around(language, None)), 503)
        response.headers.update({**HEADERS, "Retry-After": "30"})
        return response
    visit = await look(request)
    success = probe.expected(host, request.path) if visit.released else None
    if success is not None:
        response = web.Response(status=success.status, text=success.body or None)
        if success.content_type:
            response.content_type = success.content_type
        return response
    return web.Response(status=302, headers={"Location": reception.portal_url(host)})
