"""The pages that a guest can ask for, each as it fits how it stands with their device."""

from datetime import UTC, datetime, timedelta
from typing import cast

from aiohttp import web

from edge_agent.wifi import accept, portal_pages
from edge_agent.wifi.portal_answers import RECEPTION, html, look
from edge_agent.wifi.portal_pages import Agreeing, Around, Said
from edge_agent.wifi.portal_visit import Reception, Visit
from wire.messages import TermsLanguage


async def first(request: web.Request) -> web.Response:
    """In the language of the browser, without a detour: some phones show only the first page that they reach."""
    return shown(await look(request), around_of(request, accept.language(request.headers.get("Accept-Language"))))


async def page(request: web.Request) -> web.Response:
    """In the language of the address."""
    return shown(await look(request), around_of(request))


def around_of(request: web.Request, language: TermsLanguage | None = None, here: str = "") -> Around:
    """What all pages have; `language` is that of the address unless it is said."""
    said = request.query.get("said", "")
    known = said in (*portal_pages.GOOD, *portal_pages.WHY)
    language = language or cast("TermsLanguage", request.match_info["language"])
    return Around(language, request.app[RECEPTION].kit.now, Said(said) if known else None, here)


def shown(visit: Visit, around: Around, status: int = 200) -> web.Response:
    """The page that fits how it stands with this device."""
    if around.kit is None:
        return html(portal_pages.not_ready(around), 503)
    if not visit.address:
        return html(portal_pages.stranger(around), 403)
    if visit.mode == "disaster":
        return html(portal_pages.disaster(around), status)
    return html(_online(visit, around) if visit.standing else _captive(visit, around), status)


def _online(visit: Visit, around: Around) -> str:
    standing, reception = visit.standing, visit.reception
    if standing is None:
        return _captive(visit, around)
    if standing.provisional:
        return portal_pages.code_page(around, visit.token(), standing.seconds_left or 0)
    sure, url = reception.clock_sure(), reception.portal_url()
    return portal_pages.status(around, standing, reception.rules, visit.token(), url, clock_sure=sure)


def _captive(visit: Visit, around: Around) -> str:
    reception = visit.reception
    if visit.mode in ("closed", "off"):
        today = datetime.now(UTC) + timedelta(hours=9) if reception.clock_sure() else None
        return portal_pages.closed(around, reception.rules, today)
    return portal_pages.welcome(around, _agreeing(visit))


def _agreeing(visit: Visit) -> Agreeing:
    reception, kit = visit.reception, visit.reception.kit.now
    version = kit.terms.version if kit else ""
    wanted, can = mail_wanted(reception), mail_can(reception)
    return Agreeing(visit.token(version), version, reception.rules, wanted and can, wanted and not can)


def mail_wanted(reception: Reception) -> bool:
    """Whether the town asks for an address."""
    return reception.rules.confirmation == "email"


def mail_can(reception: Reception) -> bool:
    """Whether a mail can be asked for now: the hub is there, and a key to seal to."""
    kit = reception.kit.now
    return kit is not None and kit.sealing_key is not None and reception.online()


async def terms(request: web.Request) -> web.Response:
    """The whole terms, for everybody."""
    visit, around = await look(request), around_of(request, here="terms")
    may = bool(visit.address) and not visit.released and visit.mode not in ("closed", "off")
    return html(portal_pages.terms_page(around, _agreeing(visit) if may else None))


async def voucher_form(request: web.Request) -> web.Response:
    """Where a code of a voucher is typed."""
    visit, around = await look(request), around_of(request, here="voucher")
    if not visit.reception.rules.vouchers or visit.released or around.kit is None or not visit.address:
        return shown(visit, around._replace(here=""))
    version = around.kit.terms.version
    return html(portal_pages.voucher_page(around, visit.token(version), version))


async def mail_form(request: web.Request) -> web.Response:
    """Where another mail is asked for."""
    visit, around = await look(request), around_of(request, here="mail")
    if visit.standing is None or not visit.standing.provisional or around.kit is None:
        return shown(visit, around._replace(here=""))
    version = around.kit.terms.version
    return html(portal_pages.mail_page(around, visit.token(version), version))
