"""Pages of lines: the list, one of them with its tariffs and who had it, a new one; hand-over and return."""

from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection, Refused
from hub.guard import Who, need, read_form
from hub.inventory import store as inventory
from hub.inventory.thing import Item
from hub.staff.form import Wrong, WrongValue
from hub.waiver import register_store, tariff_store
from hub.waiver.register import Line, LineTariff, Use, cannot_use
from hub.waiver.register_form import LINE, LINE_TARIFF, a_day, a_month, minute, plain, read, shown_phone, yen

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("waivers"))]
Enterer = Annotated[Who, Depends(need("apply"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Text = Annotated[str, Query(max_length=80)]

ON_A_PAGE = 100
_DID = ("new", "save", "tariff", "hand_over", "give_back")


@router.get("/waiver/lines")
def lines(
    request: Request,
    who: Seer,
    q: Text = "",
    state: str = "",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Every line with its tariff and whose it is now."""
    today = shown.day_of(pages.now_ms())

    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "everything": register_store.lines(conn),
            "tariffs": register_store.tariffs_in(conn, today[:7]),
            "uses": {use.line_id: use for use in register_store.uses_in(conn, today, today)},
            "numbers": register_store.resident_numbers(conn),
        }

    found = request.app.state.db.read(gather)
    everything: list[Line] = found.pop("everything")
    rows = [
        one
        for one in everything
        if _state_of(one, found["uses"], today) == state or not state
        if _named(one, q, found["uses"], found["numbers"])
    ]
    return pages.page(
        request,
        "register_lines.html",
        who,
        total=len(everything),
        n=len(rows),
        lines=rows[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        states={one.id: _state_of(one, found["uses"], today) for one in rows},
        number=page,
        more=len(rows) > page * ON_A_PAGE,
        asked={"q": q, "state": state},
        phone=shown_phone,
        **found,
    )


def _state_of(one: Line, uses: dict[int, Use], today: str) -> str:
    if one.to_day and one.to_day < today:
        return "over"
    if one.from_day > today:
        return "later"
    return "used" if one.id in uses else "free"


def _named(one: Line, q: str, uses: dict[int, Use], numbers: dict[int, str]) -> bool:
    asked = plain(q).replace("-", "")
    use = uses.get(one.id)
    return not asked or asked in one.phone or asked in one.iccid or (use is not None and numbers[use.resident_id] == q)


@router.get("/waiver/lines/new")
def new(request: Request, who: Enterer) -> Response:
    """A form for a new one."""
    return _new_page(request, who, {}, [])


@router.post("/waiver/lines/new")
def enter(request: Request, who: Enterer, form: Form) -> Response:
    """Enters a line, and its tariff from its first month on."""

    def write(conn: Connection) -> tuple[int, list[Wrong]]:
        values, wrong = read({"line_phone": "", "line_from": "", "line_carrier": ""} | form, LINE)
        tariff, price, more = _tariff(conn, form)
        wrong += more
        if not wrong and register_store.line_by_phone(conn, values["line_phone"]):
            wrong = [Wrong("line_phone", values["line_phone"], "not_taken")]
        if wrong:
            return 0, wrong
        by = (who.person.name, pages.now_ms())
        number = add(conn, values, *by)
        if tariff:
            put_tariff(conn, number, values["line_phone"], LineTariff(values["line_from"][:7], tariff, price), *by)
        return number, []

    number, wrong = request.app.state.db.write_now(write)
    return pages.to(f"/waiver/lines/{number}", did="new") if number else _new_page(request, who, form, wrong)


def _tariff(conn: Connection, form: dict[str, str]) -> tuple[str, int | None, list[Wrong]]:
    """A tariff's code and the list price out of a form, and what is wrong with them."""
    code = form.get("line_tariff", "")
    wrong = []
    if code and code not in {one.code for one in tariff_store.tariffs(conn)}:
        wrong.append(Wrong("line_tariff", code[:60], "known_tariff"))
    price = None
    try:
        price = yen("line_list_price", form.get("line_list_price", ""))
    except WrongValue as error:
        wrong.append(error.wrong)
    return code, price, wrong


def add(conn: Connection, values: dict[str, str], who: str, now_ms: int) -> int:
    """Enters a line whose fields were read; its id. Raises db.Refused."""
    number = register_store.add_line(conn, _columns(values), now_ms)
    audit.note(conn, now_ms, who, "line_add", shown_phone(values["line_phone"]))
    return number


def put_tariff(conn: Connection, number: int, phone: str, tariff: LineTariff, who: str, now_ms: int) -> None:
    """From a month on another tariff."""
    register_store.set_tariff(conn, number, tariff)
    audit.note(conn, now_ms, who, "line_tariff", shown_phone(phone), f"{tariff.from_month} {tariff.code}")


def _columns(values: dict[str, str]) -> dict[str, str]:
    names = {"line_budget": "budget_code", "line_from": "from_day", "line_to": "to_day"}
    return {names.get(field, field.removeprefix("line_")): value for field, value in values.items()}


def _new_page(request: Request, who: Who, form: dict[str, str], wrong: list[Wrong]) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        known = register_store.lines(conn)
        return {
            "tariffs": _codes(conn),
            "carriers": sorted({one.carrier for one in known}),
            "budgets": sorted({one.budget_code for one in known if one.budget_code}),
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "register_line_new.html",
        who,
        422 if wrong else 200,
        form=dict.fromkeys((*LINE, *LINE_TARIFF), "") | form,
        wrong=wrong,
        **values,
    )


def _codes(conn: Connection) -> dict[str, str]:
    """Codes of tariffs, each with what it is called in its newest version."""
    return {one.code: one.tariff.title for one in reversed(tariff_store.tariffs(conn))}


@router.get("/waiver/lines/{number}")
def line(request: Request, who: Seer, number: Number, did: str = "") -> Response:
    """One of them."""
    return _page(request, who, number, did)


def _page(
    request: Request,
    who: Who,
    number: int,
    did: str = "",
    form: dict[str, str] | None = None,
    wrong: list[Wrong] | None = None,
) -> Response:
    today = shown.day_of(pages.now_ms())

    def gather(conn: Connection) -> dict[str, Any]:
        one = _found(conn, number)
        uses = register_store.uses_of_line(conn, number)
        things = inventory.everything(conn)
        residents = {each.id: each for each in register_store.residents(conn)}
        return {
            "one": one,
            "uses": list(reversed(uses)),
            "open": next((use for use in uses if not use.to_day), None),
            "residents": residents,
            "things": {thing.id: thing for thing in things if thing.id},
            "to_lend": [thing for thing in things if _can_go(thing)],
            "line_tariffs": list(reversed(register_store.line_tariffs(conn, number))),
            "tariffs": _codes(conn),
            "names_kept": inventory.names_kept(conn),
        }

    values = request.app.state.db.read(gather)
    one: Line = values["one"]
    return pages.page(
        request,
        "register_line.html",
        who,
        422 if wrong else 200,
        form={**values_of(one), **(form or {})},
        wrong=wrong or [],
        did=did if did in _DID else "",
        today=today,
        this_month=today[:7],
        phone=shown_phone,
        **values,
    )


def _can_go(thing: Item) -> bool:
    """Whether a thing can go with a line: a tablet, entered or heard."""
    return thing.values["kind"] in ("tablet", "") and bool(thing.id or thing.device)


def values_of(one: Line) -> dict[str, str]:
    """A line as the fields of a form."""
    return {
        "line_phone": one.phone,
        "line_iccid": one.iccid,
        "line_carrier": one.carrier,
        "line_budget": one.budget_code,
        "line_from": one.from_day,
        "line_to": one.to_day,
        "line_note": one.note,
    }


def _found(conn: Connection, number: int) -> Line:
    one = register_store.line(conn, number)
    if one is None:
        raise HTTPException(404)
    return one


@router.post("/waiver/lines/{number}")
def change(request: Request, who: Enterer, form: Form, number: Number) -> Response:
    """Changes its fields or its tariff, hands it over, or takes it back."""
    do = form.get("do", "")
    if do not in _ACTS:
        raise HTTPException(400)

    def write(conn: Connection) -> list[Wrong]:
        return _ACTS[do](conn, _found(conn, number), form, who.person.name, pages.now_ms())

    wrong = request.app.state.db.write_now(write)
    if wrong:
        return _page(request, who, number, form=form, wrong=wrong)
    return pages.to(f"/waiver/lines/{number}", did=do)


def _act_save(conn: Connection, one: Line, form: dict[str, str], who: str, now_ms: int) -> list[Wrong]:
    values, wrong = read(form, LINE)
    if wrong:
        return wrong
    after = values_of(one) | values
    for use in register_store.uses_of_line(conn, one.id):
        if use.from_day < after["line_from"]:
            return [Wrong("line_from", after["line_from"], "not_after_use")]
        if after["line_to"] and (use.to_day or use.from_day) > after["line_to"]:
            return [Wrong("line_to", after["line_to"], "not_before_use")]
    try:
        put(conn, one, values, who, now_ms)
    except Refused:
        return [Wrong("line_phone", values["line_phone"], "not_taken")]
    return []


def put(conn: Connection, one: Line, values: dict[str, str], who: str, now_ms: int) -> None:
    """Keeps fields that were read, and notes which changed. Raises db.Refused."""
    before = values_of(one)
    changed = {field: value for field, value in values.items() if value != before[field]}
    if changed:
        register_store.change_line(conn, msgspec.structs.replace(one, **_columns(changed)), now_ms)
        told = "; ".join(f"{field}: {before[field] or '–'} → {value or '–'}" for field, value in changed.items())
        audit.note(conn, now_ms, who, "line_change", shown_phone(one.phone), told[:400])


def _act_tariff(conn: Connection, one: Line, form: dict[str, str], who: str, now_ms: int) -> list[Wrong]:
    code, price, wrong = _tariff(conn, form)
    if not code and not wrong:
        wrong.append(Wrong("line_tariff", "", "known_tariff"))
    month = ""
    try:
        month = a_month("line_tariff_from", form.get("line_tariff_from", ""), needed=True)
    except WrongValue as error:
        wrong.append(error.wrong)
    if month and month <= tariff_store.closed_through(conn):
        wrong.append(Wrong("line_tariff_from", month, "open_month"))
    if not wrong:
        put_tariff(conn, one.id, one.phone, LineTariff(month, code, price), who, now_ms)
    return wrong


def _act_hand_over(conn: Connection, one: Line, form: dict[str, str], who: str, now_ms: int) -> list[Wrong]:
    typed = plain(form.get("use_resident", ""))
    resident = register_store.resident_by_number(conn, typed)
    if resident is None:
        return [Wrong("use_resident", typed[:60], "known_resident")]
    try:
        first = a_day("use_from", form.get("use_from", ""), needed=True)
        from_ms = _moment("use_from_time", form, first)
        due = a_day("use_due", form.get("use_due", ""))
    except WrongValue as error:
        return [error.wrong]
    if why := cannot_use(one, register_store.uses_of_line(conn, one.id), first, ""):
        return [Wrong("use_from", first, why)]
    found = _lent(conn, form.get("use_item", ""), (typed, first, due), who, now_ms)
    if isinstance(found, Wrong):
        return [found]
    register_store.hand_over(conn, Use(0, one.id, resident.id, *found, first, "", from_ms, 0), now_ms)
    audit.note(conn, now_ms, who, "line_hand_over", shown_phone(one.phone), f"{resident.number} {first}")
    return []


def _moment(field: str, form: dict[str, str], day: str) -> int:
    """The moment of a time of day, 0 where none was told. Raises WrongValue."""
    minutes = minute(field, form.get(field, ""))
    return 0 if minutes is None else shown.day_start_ms(date.fromisoformat(day)) + minutes * 60_000


def _lent(
    conn: Connection, chosen: str, loan: tuple[str, str, str], who: str, now_ms: int
) -> tuple[int | None, int | None] | Wrong:
    """The thing that goes with a line and its loan, which begins by this where it is not lent; neither for none."""
    if not chosen:
        return None, None
    number, first, due = loan
    thing = inventory.of_device(conn, chosen[2:]) if chosen.startswith("d:") else None
    if chosen.startswith("i:") and chosen[2:].isdecimal() and len(chosen) < 20:
        thing = inventory.item(conn, int(chosen[2:]))
    if thing is None:
        return Wrong("use_item", chosen[:60], "known_item")
    if thing.loan is not None:
        if thing.loan.number != number:
            return Wrong("use_item", thing.label, "lent_to_another", thing.loan.number)
        return thing.id, thing.loan.id
    if not due or due < first:
        return Wrong("use_due", due, "due_day")
    item_id = thing.id or inventory.enter(conn, thing.device_id, now_ms)
    inventory.lend(conn, item_id, {"loan_number": number, "loan_since": first, "loan_until": due}, who)
    audit.note(conn, now_ms, who, "lend", thing.label, f"{number} {first} – {due}")
    return item_id, inventory.loans(conn, item_id)[0].id


def _act_give_back(conn: Connection, one: Line, form: dict[str, str], who: str, now_ms: int) -> list[Wrong]:
    use = next((each for each in register_store.uses_of_line(conn, one.id) if not each.to_day), None)
    if use is None:
        raise HTTPException(409)
    try:
        last = a_day("use_to", form.get("use_to", ""), needed=True)
        to_ms = _moment("use_to_time", form, last)
    except WrongValue as error:
        return [error.wrong]
    if last < use.from_day or (to_ms and to_ms < use.from_ms):
        return [Wrong("use_to", last, "after_first")]
    register_store.give_back(conn, use.id, last, to_ms, now_ms)
    audit.note(conn, now_ms, who, "line_give_back", shown_phone(one.phone), last)
    thing = inventory.item(conn, use.item_id) if use.item_id and form.get("use_item_too") == "yes" else None
    if thing is not None and thing.loan is not None and thing.loan.id == use.loan_id:
        inventory.take_back(conn, thing.id, last, "", who)
        audit.note(conn, now_ms, who, "take_back", thing.label, thing.loan.number)
    return []


_ACTS = {
    "save": _act_save,
    "tariff": _act_tariff,
    "hand_over": _act_hand_over,
    "give_back": _act_give_back,
}
