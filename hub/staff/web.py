"""The list of staff, somebody new, and what hangs together with it."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from hub import pages, shown
from hub.db import Connection, Refused
from hub.guard import Who, need, read_form
from hub.staff import acts, card_web, department_web, member_web, shift_web, store, transfer
from hub.staff.form import TERMS, Wrong, WrongValue, a_day, read_terms, text
from hub.staff.terms import Terms

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("staff"))]

# Before the page of somebody of any number.
for one in (transfer, card_web, department_web, shift_web):
    router.include_router(one.router)


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is shown: by number or name, by department, and whether those who left."""

    q: str = ""
    department: str = ""
    who: str = "here"

    def query(self, **more: object) -> str:
        """The part of an address behind its path."""
        found = urlencode({**msgspec.to_builtins(self), **more})
        return f"?{found}" if found else ""

    def takes(self, member: store.Member, today: date) -> bool:
        """Whether somebody is shown."""
        terms = member.terms_on(today) or (member.terms[0] if member.terms else None)
        gone = member.left is not None and member.left < today
        return (
            (self.who == "all" or gone == (self.who == "left"))
            and (not self.department or (terms is not None and terms.department == self.department))
            and (not self.q or member.number.startswith(self.q) or self.q in member.name)
        )


def _asked(q: str = "", department: str = "", who: str = "here") -> Asked:
    return Asked(q.strip()[:60], department.strip()[:20], who if who in ("here", "left", "all") else "here")


AskedFor = Annotated[Asked, Depends(_asked)]


@router.get("/staff")
def staff(request: Request, who: Keeper, asked: AskedFor) -> Response:
    """Who works here."""
    today = date.fromisoformat(shown.day_of(pages.now_ms()))

    def gather(conn: Connection) -> dict[str, Any]:
        everybody = store.members(conn)
        held: dict[int, list[store.Card]] = {}
        for card in store.cards(conn):
            if card.until_ms is None:
                held.setdefault(card.staff_id, []).append(card)
        return {
            "members": [one for one in everybody.values() if asked.takes(one, today)],
            "total": len(everybody),
            "held": held,
            "departments": store.departments(conn),
            "names_kept": store.names_kept(conn),
            "strangers": store.strangers(conn),
        }

    values = request.app.state.db.read(gather)
    names = {one.code: one.name for one in values["departments"]}
    return pages.page(request, "staff.html", who, asked=asked, today=today, department_names=names, **values)


@router.get("/staff/new")
def new(request: Request, who: Keeper) -> Response:
    """A form for somebody new."""
    return _new(request, who, {"staff_since": shown.day_of(pages.now_ms())}, [])


@router.post("/staff/new")
def add(request: Request, who: Keeper, form: Form) -> Response:
    """Takes somebody on."""
    values, wrong = _person(form)
    since = values.get("since")
    terms, more = read_terms(terms_in(form, who), Terms(since=since if isinstance(since, date) else date.min))
    wrong += more
    now_ms = pages.now_ms()

    def write(conn: Connection) -> int:
        if values["name"] and not store.names_kept(conn):
            raise ValueError
        return acts.add(conn, now_ms, who.person.name, values["number"], values["since"], terms, values["name"])

    if not wrong:
        try:
            return pages.to(f"/staff/{request.app.state.db.write_now(write)}", did="add")
        except Refused:
            wrong = [Wrong("staff_number", values["number"], "not_taken_number")]
        except LookupError:
            wrong = [Wrong("staff_department", form.get("staff_department", "")[:60], "department")]
        except ValueError:
            wrong = [Wrong("staff_name", "…", "no_staff_names")]
    return _new(request, who, form, wrong)


def _person(form: dict[str, str]) -> tuple[dict[str, Any], list[Wrong]]:
    found: dict[str, Any] = {}
    wrong = []
    for name, read in (
        ("number", lambda: text("staff_number", form.get("staff_number", ""))),
        ("name", lambda: text("staff_name", form.get("staff_name", ""), needed=False)),
        ("since", lambda: a_day("staff_since", form.get("staff_since", ""))),
    ):
        try:
            found[name] = read()
        except WrongValue as error:
            wrong.append(error.wrong)
    return found, wrong


def terms_in(form: dict[str, str], who: Who) -> dict[str, str]:
    """The fields of terms in a form; pay only from whoever may see it."""
    return member_web.terms_in(form, may_see_pay=acts.sees_pay(who))


def _new(request: Request, who: Who, form: dict[str, str], wrong: list[Wrong]) -> Response:
    values = request.app.state.db.read(
        lambda conn: {"departments": store.departments(conn), "names_kept": store.names_kept(conn)}
    )
    filled = {**dict.fromkeys(("staff_number", "staff_name", "staff_since", "pattern", *TERMS), ""), **form}
    pay = acts.sees_pay(who)
    return pages.page(
        request, "staff_new.html", who, 422 if wrong else 200, form=filled, wrong=wrong, pay=pay, **values
    )


router.include_router(member_web.router)
