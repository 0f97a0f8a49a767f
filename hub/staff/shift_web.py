"""Pages of assigned hours (勤務割): the month of everybody who works in shifts, and a form for one of them."""

import calendar
import re
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import pages, shown
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.staff import acts, store
from hub.staff.form import Wrong, WrongValue, hours
from hub.staff.shift_intake import shown as hours_shown
from hub.staff.store import Member

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("staff"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])")


def _days(month: str) -> list[date]:
    if not _MONTH.fullmatch(month):
        raise HTTPException(400)
    year, number = int(month[:4]), int(month[5:])
    return [date(year, number, day) for day in range(1, calendar.monthrange(year, number)[1] + 1)]


def _month(month: str, by: int = 0) -> str:
    months = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{months // 12:04}-{months % 12 + 1:02}"


def workers(conn: Connection, month: str) -> list[Member]:
    """Who works in shifts on any day of a month."""
    days = _days(month)
    found = store.members(conn, month).values()
    return [one for one in found if any((terms := one.terms_on(day)) and terms.shifts for day in days)]


@router.get("/staff/shifts")
def shifts(request: Request, who: Keeper, month: str = "") -> Response:
    """Everybody's month."""
    month = month or shown.day_of(pages.now_ms())[:7]
    days = _days(month)

    def gather(conn: Connection) -> dict[str, Any]:
        found = workers(conn, month)
        assigned = store.assigned(conn, [one.id for one in found], days[0], days[-1])
        return {
            "members": found,
            "cells": {id_: {day: hours_shown(hours) for day, hours in of} for id_, of in assigned.items()},
        }

    values = request.app.state.db.read(gather)
    near = {"before": _month(month, -1), "after": _month(month, 1)}
    return pages.page(request, "staff_shifts.html", who, month=month, days=days, near=near, **values)


@router.get("/staff/shifts/{number}")
def one(request: Request, who: Keeper, number: Number, month: str = "", did: str = "") -> Response:
    """One person's month as a form."""
    month = month or shown.day_of(pages.now_ms())[:7]
    return _one(request, who, number, month, did="save" if did == "save" else "")


def _one(
    request: Request,
    who: Who,
    number: int,
    month: str,
    *,
    did: str = "",
    form: dict[str, str] | None = None,
    wrong: list[Wrong] | None = None,
) -> Response:
    days = _days(month)

    def gather(conn: Connection) -> dict[str, Any]:
        found = store.member(conn, number)
        if found is None:
            raise HTTPException(404)
        assigned = dict(store.assigned(conn, [number], days[0], days[-1]).get(number, ()))
        shift_days = {day for day in days if (terms := found.terms_on(day)) and terms.shifts}
        return {
            "member": found,
            "shift_days": shift_days,
            "values": {day.isoformat(): hours_shown(assigned[day]) if day in assigned else "" for day in days},
        }

    values = request.app.state.db.read(gather)
    values["values"] |= form or {}
    near = {"before": _month(month, -1), "after": _month(month, 1)}
    more = {"month": month, "days": days, "did": did, "wrong": wrong or [], "near": near}
    return pages.page(request, "staff_shift.html", who, 422 if wrong else 200, **values, **more)


@router.post("/staff/shifts/{number}")
def save(request: Request, who: Keeper, form: Form, number: Number) -> Response:
    """Assigns the hours of one person's month."""
    month = form.get("month", "")
    days = _days(month)
    typed = {day.isoformat(): form[day.isoformat()] for day in days if day.isoformat() in form}
    given, wrong = {}, []
    for day, text in typed.items():
        try:
            given[date.fromisoformat(day)] = (hours("shift_hours", text),) if text.strip() else None
        except WrongValue as error:
            wrong.append(error.wrong._replace(found=f"{day}: {error.wrong.found}"))
    if wrong:
        return _one(request, who, number, month, form=typed, wrong=wrong)

    def write(conn: Connection) -> list[Wrong]:
        found = store.member(conn, number)
        if found is None:
            raise HTTPException(404)
        before = dict(store.assigned(conn, [number], days[0], days[-1]).get(number, ()))
        new = {
            day: value[0]
            for day, value in given.items()
            if value is not None and (day not in before or before[day] != value[0])
        }
        cleared = [day for day, value in given.items() if value is None and day in before]
        outside = [day for day in new if not ((terms := found.terms_on(day)) and terms.shifts)]
        if outside:
            return [Wrong("shift_hours", day.isoformat(), "shift_worker") for day in outside]
        acts.set_days(conn, pages.now_ms(), who.person.name, found, new, cleared)
        return []

    wrong = request.app.state.db.write_now(write)
    if wrong:
        return _one(request, who, number, month, form=typed, wrong=wrong)
    return pages.to(f"/staff/shifts/{number}", month=month, did="save")
