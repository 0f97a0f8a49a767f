"""The page of one person: terms, cards, who signs in as them, when they leave."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import pages, people, shown
from hub.db import Connection, Refused
from hub.guard import Who, need, read_form
from hub.staff import acts, store
from hub.staff.form import PAY, TERMS, Wrong, WrongValue, a_day, hours_text, read_terms, text, values_of
from hub.staff.store import Member
from hub.staff.terms import Terms

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("staff"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]

_DONE = ("add", "terms", "leave", "rejoin", "name", "number", "link")
_OF_CARDS = ("lost", "found", "returned", "cannot")


def terms_in(form: Mapping[str, str], *, may_see_pay: bool) -> dict[str, str]:
    """The fields of terms in a form; pay only from whoever may see it, a box that is not ticked says no."""
    found = {field: form[field] for field in TERMS if field in form and (may_see_pay or field not in PAY)}
    if "staff_kind" in found:
        found.setdefault("staff_tracked", "no")
        pattern = form.get("pattern", "")
        if pattern == "shift":
            found |= {"staff_hours": "shift"}
        elif pattern == "standard":
            found |= {"staff_hours": ""}
        if pattern in ("shift", "standard", "same"):
            found |= {field: "" for field in found if field in _EACH}
        elif pattern == "each":
            found["staff_hours"] = "" if any(found.get(field, "").strip() for field in _EACH) else "off"
    return found


_EACH = tuple(
    field for field in TERMS if field.removeprefix("staff_") in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
)


def form_of(terms: Terms) -> dict[str, str]:
    """Terms as a form shows them, with the way in which its hours are written."""
    values = values_of(terms)
    pattern = "same"
    if terms.shifts:
        pattern, values["staff_hours"] = "shift", ""
    elif terms.week is None:
        pattern = "standard"
    elif not values["staff_hours"]:
        pattern = "each"
    return {**values, "pattern": pattern, "staff_terms_since": terms.since.isoformat()}


@router.get("/staff/{number}")
def member(request: Request, who: Keeper, number: Number, did: str = "", edit: str = "") -> Response:
    """One person."""
    return _page(request, who, number, did=did if did in _DONE + _OF_CARDS else "", edit=edit)


def _page(request: Request, who: Who, number: int, status: int = 200, **more: Any) -> Response:
    today = date.fromisoformat(shown.day_of(pages.now_ms()))

    def gather(conn: Connection) -> dict[str, Any]:
        found = store.member(conn, number)
        if found is None:
            raise HTTPException(404)
        linked = store.linked(conn)
        everyone = people.everyone(conn)
        return {
            "member": found,
            "departments": store.departments(conn),
            "cards": store.cards(conn, [number])[::-1],
            "names_kept": store.names_kept(conn),
            "signs_in": next((one for one in everyone if one.id == found.person_id), None),
            "free": [one for one in everyone if one.id not in linked and not one.disabled],
        }

    values = request.app.state.db.read(gather)
    found: Member = values["member"]
    edited = next((one for one in found.terms if one.since.isoformat() == more.get("edit")), None)
    latest = found.terms[-1] if found.terms else Terms(since=found.since)
    form = form_of(edited or latest) | ({} if edited else {"staff_terms_since": ""}) | more.pop("form", {})
    values |= {
        "name": store.shown_name(found),
        "form": form,
        "edited": edited,
        "pay": acts.sees_pay(who),
        "today": today,
        "now_terms": found.terms_on(today),
        "hours_of": hours_text,
        "department_names": {one.code: one.name for one in values["departments"]},
        "next_day": found.left + timedelta(days=1) if found.left else None,
    }
    given = {"of_cards": _OF_CARDS, "did": "", "wrong": [], "sure": "", "day": "", "edit": "", **more}
    return pages.page(request, "staff_member.html", who, status, **values, **given)


# ---- changing


class Done(NamedTuple):
    """What was done, or what was wrong with it, or a day that waits for a yes."""

    did: str = ""
    wrong: tuple[Wrong, ...] = ()
    ask: str = ""


@router.post("/staff/{number}")
def change(request: Request, who: Keeper, form: Form, number: Number) -> Response:
    """Other terms, a last day, a return, a name, a number, a sign-in."""
    act = _ACTS.get(form.get("do", ""))
    if act is None:
        raise HTTPException(400)

    def write(conn: Connection) -> Done:
        found = store.member(conn, number)
        if found is None:
            raise HTTPException(404)
        return act(conn, pages.now_ms(), who, found, form)

    try:
        done: Done = request.app.state.db.write_now(write)
    except WrongValue as error:
        done = Done(wrong=(error.wrong,))
    except Refused:
        field = "staff_number" if form["do"] == "number" else "staff_link"
        done = Done(wrong=(Wrong(field, form.get(field, "")[:60], f"not_taken_{field.removeprefix('staff_')}"),))
    if done.wrong:
        typed = (
            {key: value for key, value in form.items() if key not in ("csrf", "do")} if form["do"] == "terms" else {}
        )
        return _page(request, who, number, 422, wrong=list(done.wrong), form=typed, edit=form.get("edit", ""))
    if done.ask:
        return _page(request, who, number, sure=form["do"], day=done.ask)
    return pages.to(f"/staff/{number}", did=done.did)


def _terms(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    day = a_day("staff_terms_since", form.get("staff_terms_since", ""))
    if day < member.since:
        return Done(wrong=(Wrong("staff_terms_since", day.isoformat(), "not_before", member.since.isoformat()),))
    corrects = form.get("edit", "") == day.isoformat()
    base = member.terms_on(day) or Terms(since=day)
    terms, wrong = read_terms(terms_in(form, may_see_pay=acts.sees_pay(who)), base)
    if wrong:
        return Done(wrong=tuple(wrong))
    try:
        acts.set_terms(
            conn, now_ms, who.person.name, member, msgspec.structs.replace(terms, since=day), corrects=corrects
        )
    except store.TermsThere:
        return Done(wrong=(Wrong("staff_terms_since", day.isoformat(), "terms_there"),))
    except LookupError:
        return Done(wrong=(Wrong("staff_department", terms.department[:60], "department"),))
    return Done("terms")


def _leave(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    day = a_day("staff_left", form.get("staff_left", ""))
    if day < member.since:
        return Done(wrong=(Wrong("staff_left", day.isoformat(), "not_before", member.since.isoformat()),))
    if form.get("sure") != "yes":
        return Done(ask=day.isoformat())
    acts.leave(conn, now_ms, who.person.name, member, day)
    return Done("leave")


def _rejoin(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    day = a_day("staff_rejoin", form.get("staff_rejoin", ""))
    try:
        acts.rejoin(conn, now_ms, who.person.name, member, day)
    except ValueError:
        return Done(wrong=(Wrong("staff_rejoin", day.isoformat(), "after_left"),))
    return Done("rejoin")


def _name(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    name = text("staff_name", form.get("staff_name", ""), needed=False)
    if not store.names_kept(conn):
        return Done(wrong=(Wrong("staff_name", "…", "no_staff_names"),))
    acts.set_name(conn, now_ms, who.person.name, member, name)
    return Done("name")


def _number(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    number = text("staff_number", form.get("staff_number", ""))
    if number != member.number:
        acts.set_number(conn, now_ms, who.person.name, member, number)
    return Done("number")


def _link(conn: Connection, now_ms: int, who: Who, member: Member, form: dict[str, str]) -> Done:
    sign_in = form.get("staff_link", "")
    person = people.by_name(conn, sign_in) if sign_in else None
    if sign_in and person is None:
        return Done(wrong=(Wrong("staff_link", sign_in[:60], "person"),))
    acts.link(conn, now_ms, who.person.name, member, person.id if person else None, sign_in)
    return Done("link")


_ACTS: dict[str, Callable[[Connection, int, Who, Member, dict[str, str]], Done]] = {
    "terms": _terms,
    "leave": _leave,
    "rejoin": _rejoin,
    "name": _name,
    "number": _number,
    "link": _link,
}
