"""One place that builds the hub: database, ingest and pages in one process, on one event loop."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import AsyncIterator
from functools import partial
from importlib import metadata
from pathlib import Path

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.routing import BaseRoute, Mount

from hub import access, account, anchors, audit_pages, login, one_device, pages, people_pages, stolen, today, welcome
from hub.alerts import web as alerts
from hub.alerts.addresses import Addresses
from hub.alerts.tell import Tell
from hub.alerts.town_mail import TownMail
from hub.alerts.watch import Watch
from hub.api import problem
from hub.api import web as api
from hub.api.service import ROOT as API_ROOT
from hub.api.service import make_api
from hub.attendance import (
    close_web,
    limits_web,
    month_web,
    months_web,
    my_web,
    profile_web,
    punch_intake_web,
    request_web,
    today_web,
)
from hub.attendance import web as attendance
from hub.attendance.reminders import Reminders
from hub.benefit import purse_task
from hub.benefit import web as benefit
from hub.brake import Brake
from hub.broker.keeper import Keeper
from hub.db import Db, Fault
from hub.down import Down
from hub.fleet import clone_web
from hub.fleet import web as fleet
from hub.fleet.overview import Overview
from hub.guard import Guard, Headers, NotFresh, NotSignedIn, public
from hub.identity import web as identity
from hub.identity.authority import BadFolder
from hub.identity.guesses import Guesses
from hub.identity.task import Identity
from hub.ingest import Ingest
from hub.inventory import web as inventory
from hub.live import Live
from hub.mqtt import hub_tls
from hub.orders import task as orders_task
from hub.orders import web as orders
from hub.payroll import web as payroll
from hub.policy import task as policy_task
from hub.policy import web as policy
from hub.proof import Proving
from hub.rollout import web as rollout
from hub.rollout.task import Rollouts
from hub.second_factor import Sealing
from hub.settings import Settings
from hub.signing import Signing
from hub.staff import roster_task
from hub.staff import web as staff
from hub.tablet import content_web, file_door, shelf_task
from hub.tablet import web as tablet
from hub.waiver import account_web, bill_web, line_allowance, register_web, report_web
from hub.waiver import month_web as waiver_month_web
from hub.wifi import (
    disaster_task,
    disaster_web,
    inquiry_web,
    keys,
    kit_task,
    privacy_web,
    purge_task,
    radius_intake,
    radius_web,
    roam_task,
    terms_web,
    usage_task,
    usage_web,
    voucher_web,
)
from hub.wifi import web as wifi
from hub.wifi.confirm_mail import ConfirmMail
from hub.wifi.voucher_codes import VoucherCodes

log = logging.getLogger(__name__)

# First what programs call a thousand times a second: routes are gone through one by one, and there are hundreds.  The
# fleet's own addresses stand before the page of a device of any name.
ROUTERS = (
    radius_web.router,
    today.router,
    identity.router,
    inventory.router,
    orders.router,
    policy.router,
    rollout.router,
    alerts.router,
    api.router,
    fleet.router,
    clone_web.router,
    stolen.router,
    one_device.router,
    attendance.router,
    today_web.router,
    request_web.router,
    my_web.router,
    limits_web.router,
    months_web.router,
    month_web.router,
    close_web.router,
    punch_intake_web.router,
    profile_web.router,
    payroll.router,
    staff.router,
    usage_web.router,
    terms_web.router,
    voucher_web.router,
    disaster_web.router,
    privacy_web.router,
    inquiry_web.router,
    wifi.router,
    tablet.router,
    content_web.router,
    file_door.router,
    register_web.router,
    bill_web.router,
    account_web.router,
    report_web.router,
    waiver_month_web.router,
    benefit.router,
    login.router,
    welcome.router,
    account.router,
    people_pages.router,
    audit_pages.router,
)


def make_app(settings: Settings) -> FastAPI:
    """The whole hub. Raises RuntimeError when a route says not who may use it."""
    app = FastAPI(
        title="machinaka",
        version=metadata.version("machinaka"),
        lifespan=_life,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    app.state.settings = settings
    app.state.brake = Brake()
    app.state.guesses = Guesses()
    app.state.work_failed = False
    app.state.reminders = Reminders()
    app.state.voucher_codes = VoucherCodes()
    # What other domains say of a month before it is closed: `close_web.Check`s.
    app.state.close_checks = (payroll.close_check,)
    app.add_middleware(Headers)
    app.add_exception_handler(NotSignedIn, pages.not_signed_in)
    app.add_exception_handler(NotFresh, pages.not_fresh)
    for error in (AnyHTTPException, HTTPException):
        app.add_exception_handler(error, _refused)
    app.add_exception_handler(RequestValidationError, pages.failed)
    app.add_exception_handler(Exception, pages.failed)
    for router in ROUTERS:
        app.include_router(router)
    app.get("/healthz", dependencies=[Depends(public)])(_healthz)
    api_app = make_api(app.state)
    check_needs(routes(api_app))
    app.mount(API_ROOT, api_app)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    check_needs(routes(app))
    return app


def routes(app: FastAPI) -> list[BaseRoute]:
    """Every route of the app, those of its routers included."""
    return [context.original_route for context in iter_route_contexts(app.routes)]


def check_needs(found: list[BaseRoute]) -> None:
    """Every route names a need of access.py, or says that it is public, or for whoever is half signed in. Raises
    RuntimeError. Not asked are the static files, and the API as a whole, whose routes are asked for themselves."""
    known = {"public", "half", *access.NEEDS}
    for route in found:
        if isinstance(route, Mount) and route.path in ("/static", API_ROOT):
            continue
        if not isinstance(route, APIRoute) or not known & set(pages.needs_of(route)):
            raise RuntimeError(f"{getattr(route, 'path', route)} does not say who may use it")


def _refused(request: Request, error: Exception) -> Response:
    """A page, or a problem for a program: an address of the API with a line feed does not even reach the API."""
    is_api = request.url.path.startswith(f"{API_ROOT}/")
    return problem.of_http(request, error) if is_api else pages.failed(request, error)


async def _healthz(request: Request) -> JSONResponse:
    """Whether the hub is there, and whether it hears its broker; it is well without, and takes in when it is back."""
    return JSONResponse({"ok": True, "broker": request.app.state.ingest.connected})


@contextlib.asynccontextmanager
async def _life(app: FastAPI) -> AsyncIterator[None]:
    """Opens the database and takes records in for as long as pages are served."""
    settings: Settings = app.state.settings
    db, live = Db(settings.database), Live()
    await asyncio.to_thread(db.open)
    app.state.db, app.state.live = db, live
    wifi_keys = keys.folder_of(Path(settings.state_dir))
    await purge_task.first(db, wifi_keys)
    app.state.overview = Overview(live)
    app.state.guard = Guard(settings, db)
    app.state.sealing = await asyncio.to_thread(Sealing, Path(settings.state_dir))
    app.state.proving = Proving(db, app.state.sealing)
    app.state.signing = await asyncio.to_thread(Signing, Path(settings.state_dir))
    app.state.stopping = asyncio.Event()
    app.state.ingest = Ingest(settings.broker, db, live, tls=partial(hub_tls, settings.ca))
    app.state.down = Down(db, live, app.state.ingest)
    app.state.identity = Identity(settings, db, live, app.state.down, pages.now_ms)
    await asyncio.to_thread(app.state.identity.prepare)
    ingest = asyncio.create_task(app.state.ingest.run(), name="ingest")
    overdue = asyncio.create_task(orders_task.run(db, live), name="orders")
    down = asyncio.create_task(app.state.down.run(), name="down")
    app.state.broker = Keeper(settings, partial(_make_list, app.state.identity))
    app.state.identity.on_files_changed(app.state.broker.want)
    identities = asyncio.create_task(app.state.identity.run(), name="identities")
    keeping = asyncio.create_task(app.state.broker.run(), name="broker")
    state_dir = Path(settings.state_dir)
    app.state.addresses = Addresses(state_dir)
    app.state.tell = Tell(db, live, app.state.addresses)
    app.state.watch = Watch(
        db,
        live,
        app.state.ingest,
        (state_dir, settings.ca),
        settings.url,
        wake_post=app.state.tell.wake,
        broker_fault=app.state.broker.fault,
    )
    telling = asyncio.create_task(app.state.tell.run(), name="alert messages")
    watching = asyncio.create_task(app.state.watch.run(), name="alerts")
    anchoring = asyncio.create_task(anchors.run(db, app.state.signing, anchors.folder_of(state_dir)), name="anchors")
    ordering = asyncio.create_task(
        policy_task.run(db, live, app.state.signing, app.state.down.wake), name="ordered settings"
    )
    cards = asyncio.create_task(
        roster_task.run(db, live, app.state.signing, state_dir, app.state.down.wake), name="rosters of terminals"
    )
    app.state.rollouts = Rollouts(db, live, app.state.signing, app.state.down.wake)
    rolling = asyncio.create_task(app.state.rollouts.run(), name="roll-outs")
    shutting = stolen.begin(app)
    works = (
        *_begin_wifi(app, wifi_keys),
        *_begin_tablets(app),
        rolling,
        cards,
        ordering,
        anchoring,
        watching,
        telling,
        overdue,
        shutting,
        keeping,
        identities,
        down,
        ingest,
    )
    for task in works:
        task.add_done_callback(partial(_ended, app))
    try:
        yield
    finally:
        app.state.stopping.set()
        for task in works:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await asyncio.to_thread(db.close)


def _begin_wifi(app: FastAPI, wifi_keys: Path) -> tuple[asyncio.Task[None], ...]:
    """What goes on for the town's Wi-Fi beside its pages."""
    state, begin = app.state, asyncio.create_task
    settings, db, live, signing, wake = state.settings, state.db, state.live, state.signing, state.down.wake
    state.confirm_mail = ConfirmMail(db, live, wifi_keys, TownMail(db, state.addresses))
    return (
        begin(kit_task.run(settings, db, live, signing, wake), name="kits of access points"),
        begin(roam_task.run(db, signing, wake), name="guests known to neighbours"),
        begin(state.confirm_mail.run(), name="codes by e-mail"),
        begin(usage_task.run(db), name="devices of the Wi-Fi by day"),
        begin(disaster_task.run(db, live, signing, wake), name="disaster switch"),
        begin(purge_task.run(db, wifi_keys), name="what is overdue of the Wi-Fi"),
        *radius_intake.begin(app, db, wifi_keys),
    )


def _begin_tablets(app: FastAPI) -> tuple[asyncio.Task[None], ...]:
    """What goes on for lent tablets, waivers and benefits beside their pages."""
    state, begin = app.state, asyncio.create_task
    db, signing, wake = state.db, state.signing, state.down.wake
    # What a tablet's line carries is the waivers' to say; the tablets' pages ask it through this.
    state.line_allowances = line_allowance.by_device
    state_dir = Path(state.settings.state_dir)
    return (
        begin(shelf_task.run(db, signing, state_dir, wake, state.line_allowances), name="shelves of tablets"),
        begin(purse_task.run(db, signing, Path(state.settings.state_dir), wake), name="purses of devices"),
        begin(purse_task.follow(db), name="benefits"),
    )


def _make_list(identity: Identity) -> None:
    """The list of the withdrawn, as the register has it now. Raises OSError."""
    try:
        identity.make_list()
    except (BadFolder, Fault) as error:
        raise OSError(str(error)) from error


def _ended(app: FastAPI, task: asyncio.Task[None]) -> None:
    """A hub that takes nothing in must not look alive: it ends with code 1 and supervisor starts it anew."""
    if not task.cancelled() and task.exception() is not None:
        log.critical("the %s ended: %r", task.get_name(), task.exception())
        app.state.work_failed = True
        os.kill(os.getpid(), signal.SIGTERM)
