"""Pages of the town's values: what counts when, another version after a look at what it would change, the calendar.

1. Values are never changed: another version counts from a month on, and says why.
2. Before it is written somebody sees what it would have come to in the last whole month.
3. What was looked at is what is written: the form carries a digest of it.
"""

import hashlib
import re
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.attendance import preview, profile_form, profile_store
from hub.attendance.profile_form import SECTIONS, Wrong
from hub.attendance.rules import calendar
from hub.attendance.rules.kinds import PAY_CLASSES
from hub.attendance.rules.profile import Profile
from hub.db import Connection
from hub.guard import Who, fields, need

router = APIRouter()

_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
_FIRST_YEAR, _LAST_YEAR = 2000, 2098
_NOTE = 300
_SHOWN = 300

_NAMES = tuple(field.name for field in profile_form.FIELDS)
Seer = Annotated[Who, Depends(need("attendance"))]
Ruler = Annotated[Who, Depends(need("profile"))]
Values = Annotated[dict[str, str], Depends(fields(*_NAMES, "from_month", "note", "looked", "do"))]
Entry = Annotated[dict[str, str], Depends(fields("day", "says", "name", "year"))]
Year = Annotated[int | None, Query(ge=_FIRST_YEAR, le=_LAST_YEAR)]
Number = Annotated[int | None, Query(ge=1, le=pages.LAST_ID)]


def _today() -> date:
    return shown.moment(pages.now_ms()).date()


@router.get("/attendance/rules")
def rules(request: Request, who: Seer, did: Literal["", "saved"] = "") -> Response:
    """What counts this month, and every version there was."""
    month = calendar.month_of(_today())

    def gather(conn: Connection) -> dict[str, Any]:
        found = profile_store.versions(conn)
        used = profile_store.profile(conn, month)
        return {"versions": found, "values": profile_form.texts(used), "hash": profile_store.profile_hash(used)}

    values = request.app.state.db.read(gather)
    return _page(request, "rules.html", who, month=month, saved=did == "saved", **values)


@router.get("/attendance/rules/new")
def edit(request: Request, who: Ruler, version: Number = None) -> Response:
    """The values to be changed: those that count now, or those of an earlier version."""
    month = calendar.month_of(_today())

    def gather(conn: Connection) -> Profile:
        if version is None:
            return profile_store.profile(conn, month)
        found = next((one.profile for one in profile_store.versions(conn) if one.id == version), None)
        if found is None:
            raise HTTPException(404)
        return found

    typed = profile_form.texts(request.app.state.db.read(gather))
    return _page(request, "rules_edit.html", who, typed={**typed, "from_month": calendar.month_after(month)}, wrong={})


@router.post("/attendance/rules")
def change(request: Request, who: Ruler, form: Values) -> Response:
    """Shows what the values would have changed in the last whole month; with `do=save` they are written."""
    new, wrong = profile_form.parse(form)
    wrong = [*wrong, *_wrong_besides(form)]
    if wrong or new is None:
        return _page(request, "rules_edit.html", who, 400, typed=form, wrong={one.field: one for one in wrong})
    digest = _digest(new, form)
    if form.get("do") == "save" and form.get("looked") == digest:
        return _save(request, who, new, form)
    if form.get("do") == "edit":
        return _page(request, "rules_edit.html", who, typed=form, wrong={})
    return _look(request, who, new, form, digest)


def _look(request: Request, who: Who, new: Profile, form: dict[str, str], digest: str) -> Response:
    month = calendar.month_after(calendar.month_of(_today()), -1)

    def gather(conn: Connection) -> dict[str, Any]:
        before = profile_store.profile(conn, form["from_month"])
        return {
            "changes": profile_form.changes(before, new),
            "effect": preview.effect(conn, new, month, _today()),
        }

    found = request.app.state.db.read(gather)
    return _page(request, "rules_look.html", who, typed=form, looked=digest, shown_n=_SHOWN, **found)


def _save(request: Request, who: Who, new: Profile, form: dict[str, str]) -> Response:
    def write(conn: Connection) -> None:
        before = profile_store.profile(conn, form["from_month"])
        changed = ", ".join(field.name for field, _, _ in profile_form.changes(before, new))
        now_ms = pages.now_ms()
        profile_store.add_version(conn, form["from_month"], new, form["note"].strip(), now_ms, who.person.name)
        audit.note(conn, now_ms, who.person.name, "profile_change", form["from_month"], changed)

    request.app.state.db.write_now(write)
    return pages.to("/attendance/rules", did="saved")


def _wrong_besides(form: dict[str, str]) -> list[Wrong]:
    wrong = []
    month, note = form.get("from_month", ""), form.get("note", "")
    if not _MONTH.fullmatch(month):
        wrong.append(Wrong("from_month", month[:20], "month"))
    if not note.strip() or len(note) > _NOTE:
        wrong.append(Wrong("note", note[:20], "note"))
    return wrong


def _digest(new: Profile, form: dict[str, str]) -> str:
    """What was looked at, in a word."""
    text = f"{form['from_month']}\n{form['note'].strip()}\n".encode() + profile_store.canonical(new)
    return hashlib.sha256(text).hexdigest()


def _page(request: Request, template: str, who: Who, status: int = 200, **values: Any) -> Response:
    known = {"sections": SECTIONS, "fields": profile_form.FIELDS, "classes": PAY_CLASSES}
    return pages.page(request, template, who, status, **known, **values)


# ---- the calendar


@router.get("/attendance/rules/holidays")
def holidays(request: Request, who: Seer, year: Year = None, did: Literal["", "saved"] = "") -> Response:
    """The holidays of a fiscal year, and where each comes from."""
    year = year or calendar.fiscal_year(calendar.month_of(_today()))
    return _holidays(request, who, year, saved=did == "saved")


class _Day(msgspec.Struct, frozen=True):
    """A holiday, or a day that is none although the law or the values have it so; `source`: law, town, values."""

    day: date
    name: str
    source: str
    says: str


def _holidays(request: Request, who: Who, year: int, status: int = 200, **values: Any) -> Response:
    first, last = calendar.fiscal_span(year)

    def gather(conn: Connection) -> dict[str, Any]:
        used = profile_store.profile(conn, calendar.month_of(first))
        said = {entry.day: entry for entry in profile_store.entries(conn) if first <= entry.day <= last}
        return {"said": said, "names": profile_store.holiday_names(conn, first, last, used)}

    found = request.app.state.db.read(gather)
    days = [_day(day, name, found["said"]) for day, name in found["names"].items()]
    days += [_Day(day, one.name, "town", "workday") for day, one in found["said"].items() if one.says == "workday"]
    given = {"typed": {}, "wrong": "", "saved": False, **values}
    return pages.page(
        request,
        "holidays.html",
        who,
        status,
        year=year,
        days=sorted(days, key=lambda one: one.day),
        weekdays=calendar.weekday_holidays(found["names"], year),
        first_year=_FIRST_YEAR,
        last_year=_LAST_YEAR,
        **given,
    )


def _day(day: date, name: str, said: dict[date, Any]) -> _Day:
    if day in said:
        return _Day(day, name, "town", "holiday")
    return _Day(day, name, "law" if day in calendar.national(day.year) else "values", "holiday")


@router.post("/attendance/rules/holidays")
def say(request: Request, who: Ruler, form: Entry) -> Response:
    """The town's word on a day, or its end."""
    text, says, name = form.get("day", "").strip(), form.get("says", ""), form.get("name", "").strip()
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return _holidays(request, who, _year(form), 400, typed=form, wrong="day")
    if says not in ("holiday", "workday", "") or (says == "holiday" and not 1 <= len(name) <= 60):
        return _holidays(request, who, _year(form), 400, typed=form, wrong="name")

    def write(conn: Connection) -> None:
        now_ms = pages.now_ms()
        profile_store.add_entry(conn, day, says, name[:60], now_ms, who.person.name)
        audit.note(conn, now_ms, who.person.name, "holiday_entry", day.isoformat(), f"{says} {name[:60]}".strip())

    request.app.state.db.write_now(write)
    return pages.to("/attendance/rules/holidays", year=str(calendar.fiscal_year(calendar.month_of(day))), did="saved")


def _year(form: dict[str, str]) -> int:
    text = form.get("year", "")
    year = int(text) if re.fullmatch(r"\d{4}", text) else 0
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else calendar.fiscal_year(calendar.month_of(_today()))
