"""Who is to be reminded of what stands open, and the letters to print."""

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, fresh, need
from hub.inventory import store as inventory
from hub.waiver import ledger_store, receipt_store, register_store, reminder, reminder_paper, tariff_store
from hub.waiver.ledger import is_day, is_month
from hub.waiver.receipt_store import Reminder
from hub.waiver.reminder import Letter, OpenMonth
from hub.waiver.reminder_paper import Sheet

router = APIRouter()

_FIELDS = ("through", "day", "pay_by_day", "sender", "contact", "resident")
Seer = Annotated[Who, Depends(need("waivers"))]
# Letters leave the house: who prints them is at the desk.
Printer = Annotated[Who, Depends(fresh("bills"))]
Form = Annotated[dict[str, str], Depends(fields(*_FIELDS))]
Month = Annotated[str, Query(pattern=r"^([12][0-9]{3}-(0[1-9]|1[0-2]))?$")]
_SHOWN = 500
_LENGTH = 80


@router.get("/waiver/reminders")
def reminders(request: Request, who: Seer, through: Month = "") -> Response:
    """Everybody who owes something of months up to one, and a form to print letters."""
    return _page(request, who, through or _two_months_ago())


def _two_months_ago() -> str:
    """What was used then has been billed, assessed and due in every town that was looked at."""
    first = date.fromisoformat(shown.day_of(pages.now_ms())).replace(day=1)
    for _ in range(2):
        first = (first - timedelta(days=1)).replace(day=1)
    return first.isoformat()[:7]


def _page(request: Request, who: Who, through: str, status: int = 200, **more: Any) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        town = tariff_store.letter(conn)
        return {
            "letters": _letters(conn, through),
            "names_kept": inventory.names_kept(conn),
            "sender": f"{town.get('letter_head', '')} {town.get('letter_name', '')}".strip(),
            "contact": " ".join(town.get("letter_office", "").split())[:_LENGTH],
        }

    known = request.app.state.db.read(gather)
    today = date.fromisoformat(shown.day_of(pages.now_ms()))
    typed = {
        "through": through,
        "day": today.isoformat(),
        "pay_by_day": (today + timedelta(days=10)).isoformat(),
        "sender": known.pop("sender"),
        "contact": known.pop("contact"),
        **more.pop("typed", {}),
    }
    values = {"wrong": "", **more}
    return pages.page(
        request,
        "reminders.html",
        who,
        status,
        typed=typed,
        through=through,
        may_print=who.may("bills"),
        most=_SHOWN,
        **values,
        **known,
    )


def _letters(conn: Connection, through: str) -> list[Letter]:
    phones = {one.id: one.phone for one in register_store.lines(conn)}
    names_kept = inventory.names_kept(conn)
    who = {one.id: (one.number, one.name if names_kept else "") for one in register_store.residents(conn)}
    found = [
        OpenMonth(one.resident_id, phones.get(one.line_id, ""), one.of_month, one.yen)
        for one in ledger_store.outstanding(conn)
        if one.of_month
    ]
    return reminder.letters(found, who, receipt_store.last_reminded(conn), through)


@router.post("/waiver/reminders")
def print_letters(request: Request, who: Printer, form: Form) -> Response:
    """Letters to everybody who is shown, or to one of them; that they were printed is written down."""
    through = form.get("through", "")
    if not is_month(through):
        raise HTTPException(400)
    about, wrong = _sheet(form)
    if wrong:
        return _page(request, who, through, 422, wrong=wrong, typed=form)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> list[Letter]:
        found = [one for one in _letters(conn, through) if form.get("resident", "") in ("", str(one.resident_id))]
        for one in found:
            # Printed once more on the same day, it is the same letter.
            if one.last_day != about.day:
                receipt_store.remind(conn, _kept(one, about, who.person.name, now_ms))
        if found:
            detail = f"{len(found)} letters, {sum(one.yen for one in found)} yen, by {about.pay_by_day}"
            audit.note(conn, now_ms, who.person.name, "reminder_print", through, detail)
        return found

    found = request.app.state.db.write_now(write)
    if not found:
        return _page(request, who, through, 409, wrong="nobody", typed=form)
    headers = {"Content-Disposition": f'inline; filename="reminders-{about.day}.pdf"'}
    return Response(reminder_paper.letters(about, found), media_type="application/pdf", headers=headers)


def _sheet(form: dict[str, str]) -> tuple[Sheet, str]:
    """What stands on every letter, and which field is wrong."""
    values = {name: form.get(name, "").strip() for name in ("day", "pay_by_day", "sender", "contact")}
    wrong = ""
    if not is_day(values["day"]):
        wrong = "day"
    elif not is_day(values["pay_by_day"]) or values["pay_by_day"] <= values["day"]:
        wrong = "pay_by_day"
    for name in ("contact", "sender"):
        text = values[name]
        if not text.isprintable() or len(text) > _LENGTH or (name == "sender" and not text):
            wrong = name
    return Sheet(**values), wrong


def _kept(letter: Letter, about: Sheet, who: str, now_ms: int) -> Reminder:
    return Reminder(
        id=0,
        resident_id=letter.resident_id,
        day=about.day,
        pay_by_day=about.pay_by_day,
        yen=letter.yen,
        open=tuple((one.phone, one.of_month, one.yen) for one in letter.months),
        printed_by=who,
        printed_ms=now_ms,
    )
