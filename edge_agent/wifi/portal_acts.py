"""What a press of a button does: each is a POST that counts, and leads to a page (303)."""

import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import web

from edge_agent.wifi import confirm, portal_pages
from edge_agent.wifi.confirm import Contact
from edge_agent.wifi.guests import Agreed, Refused
from edge_agent.wifi.portal_answers import look, text, to
from edge_agent.wifi.portal_pages import Around, Said
from edge_agent.wifi.portal_views import around_of, mail_can, mail_wanted, shown
from edge_agent.wifi.portal_visit import Reception, Visit
from wire.messages import TermsLanguage

_FIELDS = 8

Form = dict[str, str]
Act = Callable[[Visit, Around, Form], Awaitable[web.Response]]


async def act(doing: Act, request: web.Request) -> web.StreamResponse:
    """A form that counts, done; one that does not, shown anew."""
    visit, around = await look(request), around_of(request)._replace(said=None)
    form = _fields(await request.read())
    reception = visit.reception
    if not _is_ours(request, reception):
        return text(403, "only the portal's own page may do this")
    if not visit.address or around.kit is None:
        return shown(visit, around)
    version = form.get("terms", "")
    # Terms that changed while they were read are read again.
    if not visit.counts(form.get("token", ""), version) or version not in ("", around.kit.terms.version):
        return shown(visit, around._replace(said=Said("form")), 403)
    try:
        return await doing(visit, around, form)
    except Refused as refused:
        return _back(around, refused.reason)


def _is_ours(request: web.Request, reception: Reception) -> bool:
    """Whether a browser says that the form was on another site's page. One that says nothing has the token still."""
    origin = request.headers.get("Origin", "null")
    if origin == "null":
        return request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none")
    return origin.startswith("https://") and reception.is_its_name(origin.removeprefix("https://"))


def _fields(body: bytes) -> Form:
    """The first of each name; an unreadable body has none."""
    try:
        pairs = parse_qsl(body.decode("ascii", "replace"), max_num_fields=_FIELDS, errors="replace")
    except ValueError:
        return {}
    return dict(reversed(pairs))


def _back(around: Around, said: str = "", page: str = "") -> web.Response:
    return to(f"/{around.language}/{page}" + (f"?said={said}" if said else ""))


async def _agree(visit: Visit, around: Around, form: Form) -> web.Response:
    if visit.standing is None:
        if not visit.counts(form.get("token", ""), _version(around)):
            return shown(visit, around._replace(said=Said("form")), 403)
        if mail_wanted(visit.reception) and mail_can(visit.reception):
            return await _agree_by_mail(visit, around, form)
        await visit.reception.guests.agree(visit.address, Agreed(_version(around), _read_in(around)))
    return _back(around)


def _version(around: Around) -> str:
    return around.kit.terms.version if around.kit else ""


def _read_in(around: Around) -> TermsLanguage:
    """The language in which the terms were there to be read."""
    return portal_pages.shown_terms(around.kit.terms, around.language)[0] if around.kit else around.language


async def _agree_by_mail(visit: Visit, around: Around, form: Form) -> web.Response:
    reception, kit = visit.reception, around.kit
    mailbox = confirm.mailbox(form.get("mail", ""))
    page = "mail" if visit.standing is not None else ""
    if mailbox is None:
        return _back(around, "mail_bad", page)
    if not reception.codes.may_ask(visit.address):
        return _back(around, "mail_many", page)
    session = secrets.token_hex(16)
    code = reception.codes.draw(visit.address, session)
    key = kit.sealing_key if kit else None
    contact = confirm.seal(key, session, Contact(mailbox, code, around.language)) if key else None
    if key is None or contact is None:
        # A key that cannot be used keeps nobody out.
        agreed = Agreed(_version(around), _read_in(around))
    else:
        agreed = Agreed(_version(around), _read_in(around), "email", None, contact, key.name, session)
    if visit.standing is not None:
        await reception.guests.leave(visit.address)
    await reception.guests.agree(visit.address, agreed)
    return _back(around)


async def _mail(visit: Visit, around: Around, form: Form) -> web.Response:
    """Another mail for who got none: a new code, in a session that goes on with the one before."""
    if visit.standing is None or not visit.standing.provisional:
        return _back(around)
    if not mail_can(visit.reception):
        # Nobody is kept out because the hub is away.
        await visit.reception.guests.confirm(visit.address)
        return _back(around)
    return await _agree_by_mail(visit, around, form)


async def _confirm(visit: Visit, around: Around, form: Form) -> web.Response:
    standing, codes = visit.standing, visit.reception.codes
    if standing is None:
        return _back(around, "over")
    if not standing.provisional:
        return _back(around)
    found = codes.check(visit.address, standing.session, form.get("code", ""))
    if found == "right":
        await visit.reception.guests.confirm(visit.address)
        return _back(around, "confirmed")
    if found == "wrong":
        left = codes.tries_left(visit.address)
        return shown(visit, around._replace(said=Said("wrong", left)), 403)
    return _back(around, found)


async def _voucher(visit: Visit, around: Around, form: Form) -> web.Response:
    reception = visit.reception
    if visit.standing is not None or not reception.rules.vouchers:
        return _back(around)
    if not visit.counts(form.get("token", ""), _version(around)):
        return shown(visit, around._replace(said=Said("form")), 403)
    if not reception.guesses.is_free(visit.address):
        return _back(around, "guesses", "voucher")
    # Counted before it is tried, so that many at a time are not one.
    reception.guesses.note(visit.address)
    typed = form.get("code", "")[:80]
    try:
        agreed = Agreed(_version(around), _read_in(around), "voucher", typed or "-")
        await reception.guests.agree(visit.address, agreed)
    except Refused as refused:
        if refused.reason != "voucher_unknown":
            reception.guesses.take_back(visit.address)
        return _back(around, refused.reason, "voucher")
    reception.guesses.take_back(visit.address)
    return _back(around)


async def _extend(visit: Visit, around: Around, form: Form) -> web.Response:
    await visit.reception.guests.extend(visit.address)
    return _back(around, "extended")


async def _leave(visit: Visit, around: Around, form: Form) -> web.Response:
    await visit.reception.guests.leave(visit.address)
    return _back(around, "left")


ACTS: dict[str, Act] = {
    "agree": _agree,
    "voucher": _voucher,
    "mail": _mail,
    "confirm": _confirm,
    "extend": _extend,
    "leave": _leave,
}
