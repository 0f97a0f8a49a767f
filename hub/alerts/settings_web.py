"""Settings of alerts: who is told, when the town hall is open, how long something must stay away to have ended."""

import re
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages
from hub.alerts import address, post, say, store
from hub.alerts.address import BadAddress, Mail, Security
from hub.alerts.hours import Day, Hours
from hub.alerts.kinds import NATURE
from hub.alerts.post import Target
from hub.alerts.store import AlertSettings
from hub.db import Connection
from hub.fleet import groups
from hub.guard import Who, need, read_form
from hub.words import word

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("alerts"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Shown = Annotated[int | None, Query(ge=1, le=pages.LAST_ID)]

_TARGETS = 20
_LOG = 20
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
PAGE = "/settings/alerts"
DONE = ("added", "removed", "saved")


class BadForm(Exception):
    """What was typed cannot be taken; the text names the word that says so (`alert_bad_…`)."""


@router.get(PAGE)
def settings_page(request: Request, who: Keeper, done: str = "", name: str = "") -> Response:
    """Everything about telling, on one page."""
    return _page(request, who, done=done if done in DONE else "", name=name[:60])


@router.post(PAGE)
def save(request: Request, who: Keeper, form: Form) -> Response:
    """New hours and times."""
    try:
        settings = settings_of(form)
    except BadForm as bad:
        return _page(request, who, status=400, error=str(bad), form=form)

    def write(conn: Connection) -> None:
        store.write_settings(conn, settings)
        audit.note(conn, pages.now_ms(), who.person.name, "alert_settings")

    request.app.state.db.write_now(write)
    return pages.to(PAGE, done="saved")


@router.post(f"{PAGE}/targets")
def add_target(request: Request, who: Keeper, form: Form) -> Response:
    """One more who is told. Its address goes into the file and is not shown again."""
    state = request.app.state
    try:
        name = _name_of(form)
        kept, shown = _address_of(form)
        _check_room(state.db.read(post.targets))
    except (BadForm, BadAddress) as bad:
        return _page(request, who, status=400, error=str(bad), form=form)
    ref = state.addresses.add(kept)
    target = Target(
        id=0,
        ref=ref,
        name=name,
        way="email" if form.get("way") == "email" else "web",
        shown=shown,
        language="en" if form.get("language") == "en" else "ja",
        urgent_only=form.get("urgent_only") == "yes",
        place=form.get("place", "").strip()[:80],
        created_ms=pages.now_ms(),
    )

    def write(conn: Connection) -> None:
        post.add_target(conn, target)
        audit.note(conn, pages.now_ms(), who.person.name, "alert_target_add", name, shown)

    try:
        state.db.write_now(write)
    except BaseException:
        # An address without its row would lie in the file for ever.
        state.addresses.remove(ref)
        raise
    tell_live(request)
    return pages.to(PAGE, done="added", name=name)


@router.post(f"{PAGE}/targets/{{number}}/test")
async def try_target(request: Request, who: Keeper, number: Number) -> Response:
    """Sends a message now, and says in words what came of it."""
    state = request.app.state
    target = await state.db.aread(lambda conn: _target(conn, number))
    kept = state.addresses.of(target.ref)
    language = target.language
    failure = "lost"
    if kept is not None:
        title, body = word(language, "alert_test_title"), word(language, "alert_test_body")
        failure = await state.tell.send(kept, title, body)
    now_ms = pages.now_ms()

    def note(conn: Connection) -> None:
        post.note_result(conn, target.id, failure, now_ms)
        audit.note(conn, now_ms, who.person.name, "alert_target_test", target.name, failure)

    await state.db.write(note)
    return _page(request, who, tested=target.name, failure=failure)


@router.get(f"{PAGE}/targets/{{number}}/remove")
def ask_remove(request: Request, who: Keeper, number: Number) -> Response:
    """What will happen, before it does."""
    target = request.app.state.db.read(lambda conn: _target(conn, number))
    return pages.page(request, "alert_remove.html", who, target=target)


@router.post(f"{PAGE}/targets/{{number}}/remove")
def remove_target(request: Request, who: Keeper, number: Number) -> Response:
    """Tells them no more."""

    def remove(conn: Connection) -> Target:
        target = _target(conn, number)
        post.remove_target(conn, number)
        audit.note(conn, pages.now_ms(), who.person.name, "alert_target_remove", target.name, target.shown)
        return target

    target = request.app.state.db.write_now(remove)
    request.app.state.addresses.remove(target.ref)
    return pages.to(PAGE, done="removed", name=target.name)


def tell_live(request: Request) -> None:
    """The open pages show it at once."""
    request.app.state.watch.changed()


def _target(conn: Connection, number: int) -> Target:
    found = next((one for one in post.targets(conn) if one.id == number), None)
    if found is None:
        raise HTTPException(404)
    return found


def _page(request: Request, who: Who, *, status: int = 200, **more: Any) -> Response:
    language = pages.language_of(request)

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "settings": store.read_settings(conn),
            "targets": post.targets(conn),
            "messages": post.latest(conn, _LOG),
            "places": groups.places(conn),
        }

    values = {"error": "", "done": "", "name": "", "tested": "", "failure": "", "form": {}, **more}
    urgent = [say.short(language, kind) for kind, nature in NATURE.items() if nature.urgent]
    return pages.page(
        request,
        "alert_settings.html",
        who,
        status,
        urgent="、".join(urgent) if language == "ja" else ", ".join(urgent),
        securities=get_args(Security),
        clock=_clock,
        **request.app.state.db.read(gather),
        **values,
    )


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def settings_of(form: dict[str, str]) -> AlertSettings:
    """What the form says. Raises BadForm."""
    week = tuple(_day(form.get(f"opens_{day}", ""), form.get(f"closes_{day}", "")) for day in range(7))
    hours = Hours(
        week,  # type: ignore[arg-type]
        holidays_off=form.get("holidays_off") == "yes",
        new_year_off=form.get("new_year_off") == "yes",
        always=form.get("always") == "yes",
    )
    hold_down, tablet_days = _number(form.get("hold_down", ""), 0, 120), _number(form.get("tablet_days", ""), 1, 60)
    return AlertSettings(hours, hold_down, tablet_days, _number(form.get("backup_days", ""), 0, 60))


def _day(opens: str, closes: str) -> Day:
    if not opens.strip() and not closes.strip():
        return None
    begin, end = _minutes(opens), _minutes(closes)
    if begin >= end:
        raise BadForm("alert_bad_hours")
    return begin, end


def _minutes(text: str) -> int:
    found = _TIME.fullmatch(text.strip())
    if not found or int(found[2]) > 59 or int(found[1]) * 60 + int(found[2]) > 24 * 60:
        raise BadForm("alert_bad_hours")
    return int(found[1]) * 60 + int(found[2])


def _number(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"\d{1,4}", text.strip(), re.ASCII) or not least <= int(text) <= most:
        raise BadForm("alert_bad_number")
    return int(text)


def _check_room(targets: list[Target]) -> None:
    if len(targets) >= _TARGETS:
        raise BadForm("alert_full")


def _name_of(form: dict[str, str]) -> str:
    name = form.get("name", "").strip()
    if not 1 <= len(name) <= 60 or not name.isprintable():
        raise BadForm("alert_bad_name")
    return name


def _address_of(form: dict[str, str]) -> tuple[str, str]:
    """The address to keep, and what may be shown of it. Raises BadForm, BadAddress."""
    if form.get("way") != "email":
        typed = address.of_web(form.get("address", ""))
        return typed, address.shown_of_web(typed)
    port, security = form.get("port", "").strip(), form.get("security", "")
    known = next((one for one in get_args(Security) if one == security), None)
    if known is None or not re.fullmatch(r"\d{1,5}", port, re.ASCII):
        raise BadForm("alert_bad_server")
    mail = Mail(
        to=form.get("to", "").strip(),
        sender=form.get("from", "").strip(),
        server=form.get("server", "").strip(),
        port=int(port),
        security=known,
        user=form.get("user", "").strip(),
        password=form.get("password", ""),
    )
    return address.of_mail(mail), address.shown_of_mail(mail)
