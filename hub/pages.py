"""The frame of every page: language, words, the rail, errors; Jinja2 templates in `templates/`."""

import csv
import io
import re
import time
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from hub import shown
from hub.access import Need
from hub.guard import NotFresh, Who, harden
from hub.words import Language, word

HERE = Path(__file__).parent
# A number of a row in an address; beyond it the database has none.
LAST_ID = 2**63 - 1
Before = Annotated[int | None, Query(ge=1, le=LAST_ID)]
# What the rail shows, in order: address, word, and what the role must cover; of several with one word the first that
# the role may open.
RAIL: tuple[tuple[str, str, Need], ...] = (
    ("/", "today", "devices"),
    ("/devices", "devices", "devices"),
    ("/alerts", "alerts", "devices"),
    ("/attendance", "attendance", "taps"),
    ("/payroll", "attendance", "payroll"),
    ("/wifi", "wifi", "wifi"),
    ("/waiver", "tablets", "waivers"),
    ("/tablets", "tablets", "tablets"),
    ("/my-time", "my_time", "my_time"),
    ("/settings", "settings", "own"),
)
# Pages that stand under another's word in the rail: they are tabs of it (`attendance_macros.html`,
# `waiver_macros.html`).
_UNDER = {
    "/attendance": "attendance",
    "/taps": "attendance",
    "/staff": "attendance",
    "/payroll": "attendance",
    "/waiver": "tablets",
    "/tablets": "tablets",
    "/content": "tablets",
    "/benefits": "tablets",
}
_MARKS = {"ok": "●", "warning": "▲", "fault": "■", "offline": "○", "unheard": "□"}
_STANDING_MARKS = {"accepted": "●", "repeat": "▲", "unknown": "■", "unsure": "▲", "refused": "■"}

_OWN_PATH = re.compile(r"/(?!/)[^\x00-\x20\x7f\\]{0,2000}")
# What begins a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Errors with words of their own; others say that it did not work.
_ERRORS = {400: "error_400", 403: "error_403", 404: "error_404", 405: "error_404", 413: "error_413", 415: "error_400"}

_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.globals.update(marks=_MARKS, standing_marks=_STANDING_MARKS)
_environment.filters.update(
    data=shown.data,
    count=shown.count,
    permille=shown.permille,
    celsius=shown.celsius,
    clock_time=shown.clock_time,
    moment=shown.moment,
)


def now_ms() -> int:
    """The hub's wall clock."""
    return time.time_ns() // 1_000_000


def language_of(request: Request) -> Language:
    """What the person chose, else what the hub is set to."""
    chosen = request.cookies.get("language", request.app.state.settings.language)
    return "en" if chosen == "en" else "ja"


def fragment(template: str, language: Language, **values: Any) -> str:
    """A template's text in a language."""
    now = now_ms()
    today_at = shown.moment(now).date()
    return _environment.get_template(template).render(
        lang=language,
        t=partial(word, language),
        said=lambda at_ms: shown.said(language, at_ms, now),
        exact=partial(shown.exact, language),
        span=partial(shown.span, language),
        on_day=partial(shown.day, language),
        hours_minutes=partial(shown.hours_minutes, language),
        money=partial(shown.money, language),
        weekday=partial(shown.weekday, language),
        is_today=lambda at_ms: shown.moment(at_ms).date() == today_at,
        **values,
    )


def page(request: Request, template: str, who: Who | None = None, status: int = 200, **values: Any) -> HTMLResponse:
    """A whole page."""
    rail = _rail(who, _section(request.url.path)) if who else []
    text = fragment(
        template,
        language_of(request),
        who=who,
        rail=rail,
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        **values,
    )
    return HTMLResponse(text, status)


def _rail(who: Who, section: str) -> list[tuple[str, str, bool]]:
    """Address, word, and whether one is there."""
    found: dict[str, str] = {}
    for path, name, need in RAIL:
        if who.may(need):
            found.setdefault(name, path)
    return [(path, name, _UNDER.get(section) == name or path == section) for name, path in found.items()]


def _section(path: str) -> str:
    return "/" + path.split("/")[1]


def to(path: str, **query: str) -> RedirectResponse:
    """Goes on to another page after a change."""
    return RedirectResponse(path + (f"?{urlencode(query)}" if query else ""), 303)


def safe_next(path: str) -> str:
    """A path of our own to go back to; anything else (browsers drop tabs and turn backslashes) is the start page."""
    return path if _OWN_PATH.fullmatch(path) else "/"


def table_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A CSV file that spreadsheets open as it is: UTF-8 with a mark, and no cell that begins a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    for row in rows:
        writer.writerow([f"'{cell}" if str(cell).startswith(_FORMULA) else cell for cell in row])
    return Response(
        "\ufeff" + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def not_signed_in(request: Request, error: Exception) -> Response:
    """To the sign-in page and back; whoever owes a code, to where it is given."""
    if request.headers.get("accept", "").startswith("text/event-stream") or request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/sign-in"})
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.url.path.startswith("/sign-in/"):
        return to("/" if request.app.state.guard.peek(request) else "/sign-in")
    page_of = "/sign-in/code" if request.app.state.guard.half(request) else "/sign-in"
    return to(page_of, next=here) if request.method == "GET" and here != "/" else to(page_of)


def not_fresh(request: Request, error: Exception) -> Response:
    """Asks once more who it is; the answer goes, with all that was typed, where it was to go."""
    assert isinstance(error, NotFresh)  # noqa: S101 (registered for this error alone)
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    action, sent = ("/confirm", {"next": here}) if request.method == "GET" else (here, error.fields)
    status = 429 if error.wait_s else 403
    values = {"action": action, "fields": sent, "error": error.error, "wait_s": error.wait_s}
    answer = page(request, "confirm.html", error.who, status, **values)
    if error.wait_s:
        answer.headers["Retry-After"] = str(error.wait_s)
    return answer


def failed(request: Request, error: Exception) -> Response:
    """An error page in plain words, with the rail for whoever is signed in."""
    state, name = request.app.state, ""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if isinstance(error, RequestValidationError):
        status, name = 400, str(error.errors()[0]["loc"][-1])
    who = getattr(request.state, "who", None)
    if who is None and status < 500:
        who = state.guard.peek(request)
    csrf = isinstance(error, HTTPException) and error.detail == "csrf"
    key = "error_csrf" if csrf else _ERRORS.get(status, "error_other")
    answer = page(request, "error.html", who, status, key=key, name=name)
    if status >= 500:
        # Such an answer is made outside of every middleware.
        harden(answer.headers, request.url.path, secure=state.settings.secure)
    return answer


def needs_of(route: APIRoute) -> list[str]:
    """What a route asks for: the needs of its dependencies, and `public` when it is open to all."""
    calls = [dependency.call for dependency in route.dependant.dependencies]
    return [getattr(call, "need", getattr(call, "__name__", "")) for call in calls]
