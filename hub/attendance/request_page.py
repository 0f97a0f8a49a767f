"""What the pages of requests share: the form, filled with what is likely, and the words for a request."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from fastapi import Request as HttpRequest
from fastapi import Response

from hub import pages, shown
from hub.attendance import gather, profile_store, request_form, request_say
from hub.attendance.request import LEAVE_KINDS, PARTS, Kind
from hub.attendance.request_check import Known, day_kind, hours_of
from hub.attendance.request_entry import Found
from hub.attendance.request_form import Fields
from hub.attendance.request_known import known
from hub.db import Connection
from hub.guard import Who
from hub.staff.store import Member, shown_name
from hub.words import Language


def words(language: Language) -> dict[str, Any]:
    """What templates say requests with."""
    return {
        "what": partial(request_say.what, language),
        "when": partial(request_say.when, language),
        "on": partial(request_say.on, language),
        "in_month": partial(request_say.in_month, language),
        "sentence": partial(request_say.sentence, language),
        "one_line": partial(request_say.one_line, language),
        "mark_of_state": request_say.MARK_OF_STATE,
        "name_of": shown_name,
    }


def form(
    request: HttpRequest,
    who: Who,
    kind: Kind,
    fields: Fields,
    found: Sequence[Found] = (),
    **values: Any,
) -> Response:
    """The form of a kind with what was typed, and what is wrong with it."""
    blocked = any(one.problem.blocks for one in found)
    return pages.page(
        request,
        "request_new.html",
        who,
        422 if found else 200,
        kind=kind,
        typed=fields,
        found=found,
        blocked=blocked,
        wrong_fields={one.problem.field for one in found if one.problem.blocks},
        leave_kinds=LEAVE_KINDS,
        parts=PARTS,
        reason_length=request_form.REASON_LENGTH,
        **words(pages.language_of(request)),
        **values,
    )


def likely(conn: Connection, member: Member, kind: Kind, day: date, now_ms: int) -> tuple[dict[str, str], Any]:
    """What a form begins with for a day: the regular hours, what is missing; and what is recorded of that day."""
    about = known(conn, member, [day], now_ms, by_clerk=False)
    came, went = about.ends.get(day, (None, None))
    fields = {"day": day.isoformat()}
    fields |= _FILL[kind](about, day, came, went) if kind in _FILL else {}
    return fields, (came, went) if came or went else None


def _order(about: Known, day: date, came: datetime | None, went: datetime | None) -> dict[str, str]:
    """From the end of the regular hours to when the person went, if that is known."""
    hours = hours_of(about, day)
    fields = {"begin": _clock_of(hours.end)} if hours else {"begin": _clock(came)} if came else {}
    if went is not None:
        fields |= {"end": _clock(went)} | ({"next_day": "yes"} if went.date() > day else {})
    return fields


def _correction(about: Known, day: date, came: datetime | None, went: datetime | None) -> dict[str, str]:
    """The end that is missing, with the regular hours' own time: the person looks at it before it is sent."""
    hours = hours_of(about, day)
    if hours is None or (came is None) == (went is None):
        return {}
    return {"in": _clock_of(hours.begin)} if came is None else {"out": _clock_of(hours.end)}


def _leave(about: Known, day: date, came: datetime | None, went: datetime | None) -> dict[str, str]:
    return {"leave": "annual", "part": "day"}


def _exchange(about: Known, day: date, came: datetime | None, went: datetime | None) -> dict[str, str]:
    """The day that is worked, where it is a day off at all."""
    return {} if day_kind(about, day) == "work" else {"worked": day.isoformat()}


_FILL = {
    "order": _order,
    "correction": _correction,
    "leave": _leave,
    "swap": _exchange,
    "substitute": _exchange,
}


def _clock(when: datetime) -> str:
    return f"{when:%H:%M}"


def _clock_of(minute: int) -> str:
    return f"{minute // 60 % 24:02d}:{minute % 60:02d}"


def a_day(text: str, now_ms: int) -> date:
    """The day of an address; today for none or for what is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return shown.moment(now_ms).date()


def typed(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed, without what only our own pages put there."""
    return {name: value for name, value in fields.items() if name not in ("csrf", "sure", "proof")}


def one_day(fields: Mapping[str, str]) -> dict[str, str]:
    """A person's own order is of one day."""
    return {name: value for name, value in fields.items() if name != "until" or fields.get("kind") != "order"}


def last_past_day(conn: Connection, month: str, now_ms: int) -> date:
    """The last duty day that is over: of a later one nothing is missing yet."""
    return gather.last_past_day(now_ms, profile_store.profile(conn, month).day_line)
