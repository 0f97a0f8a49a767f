"""Pages of residents: the list, one of them with lines and applications, somebody new."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection, Refused
from hub.guard import Who, need, read_form
from hub.inventory import store as inventory
from hub.staff.form import Wrong
from hub.waiver import application_store, application_view, register_store
from hub.waiver.application import fold
from hub.waiver.register import Resident, Use
from hub.waiver.register_form import RESIDENT, read, shown_phone

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("waivers"))]
Enterer = Annotated[Who, Depends(need("apply"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Text = Annotated[str, Query(max_length=80)]

ON_A_PAGE = 100
_SAVED = ("save", "new")


@router.get("/waiver/residents")
def residents(
    request: Request,
    who: Seer,
    q: Text = "",
    district: Text = "",
    state: str = "here",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:
    """Everybody, by number; those who are here unless the address says otherwise."""
    today = shown.day_of(pages.now_ms())

    def gather(conn: Connection) -> dict[str, Any]:
        everyone = register_store.residents(conn)
        lines = {one.id: one for one in register_store.lines(conn)}
        of: dict[int, list[Any]] = {}
        for use in register_store.uses_in(conn, today, today):
            of.setdefault(use.resident_id, []).append(lines[use.line_id])
        waivers: dict[int, int] = {}
        for waiver in fold(application_store.applications(conn)):
            if waiver.state in ("granted", "changed"):
                waivers[waiver.root.resident_id] = waivers.get(waiver.root.resident_id, 0) + 1
        return {
            "everyone": everyone,
            "lines_of": of,
            "waivers_of": waivers,
            "names_kept": inventory.names_kept(conn),
            "districts": sorted({one.district for one in everyone if one.district}),
        }

    values = request.app.state.db.read(gather)
    everyone = values.pop("everyone")
    found = [one for one in everyone if _asked(one, q.strip(), district, state, today)]
    return pages.page(
        request,
        "register_residents.html",
        who,
        total=len(everyone),
        n=len(found),
        residents=found[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        number=page,
        more=len(found) > page * ON_A_PAGE,
        asked={"q": q, "district": district, "state": state},
        phone=shown_phone,
        **values,
    )


def _asked(one: Resident, q: str, district: str, state: str, today: str) -> bool:
    here = not one.to_day or one.to_day >= today
    return (
        (not q or q.lower() in one.number.lower() or q in one.name)
        and (not district or one.district == district)
        and (state == "all" or here == (state != "gone"))
    )


@router.get("/waiver/residents/new")
def new(request: Request, who: Enterer) -> Response:
    """A form for somebody new."""
    return _new_page(request, who, {}, [])


@router.post("/waiver/residents/new")
def enter(request: Request, who: Enterer, form: Form) -> Response:
    """Enters somebody."""

    def write(conn: Connection) -> tuple[int, list[Wrong]]:
        values, wrong = read(form, _fields(conn))
        if "resident_number" not in form:
            wrong = [Wrong("resident_number", "", "something"), *wrong]
        if not wrong and register_store.resident_by_number(conn, values["resident_number"]):
            wrong = [Wrong("resident_number", values["resident_number"], "not_taken")]
        return (0, wrong) if wrong else (add(conn, values, who.person.name, pages.now_ms()), [])

    number, wrong = request.app.state.db.write_now(write)
    return pages.to(f"/waiver/residents/{number}", did="new") if number else _new_page(request, who, form, wrong)


def add(conn: Connection, values: dict[str, str], who: str, now_ms: int) -> int:
    """Enters somebody whose fields were read; their id. Raises db.Refused."""
    kept = {field.removeprefix("resident_"): value for field, value in values.items()}
    kept |= {f"{end}_day": kept.pop(end) for end in ("from", "to") if end in kept}
    number = kept.pop("number")
    found = register_store.add_resident(conn, number, kept, now_ms)
    audit.note(conn, now_ms, who, "resident_add", number)
    return found


def _fields(conn: Connection) -> tuple[str, ...]:
    """What may be said: names only where the town keeps names."""
    kept = inventory.names_kept(conn)
    return tuple(field for field in RESIDENT if kept or field != "resident_name")


def _new_page(request: Request, who: Who, form: dict[str, str], wrong: list[Wrong]) -> Response:
    names_kept = request.app.state.db.read(inventory.names_kept)
    status = 422 if wrong else 200
    return pages.page(
        request,
        "register_resident_new.html",
        who,
        status,
        form=dict.fromkeys(RESIDENT, "") | form,
        wrong=wrong,
        names_kept=names_kept,
    )


@router.get("/waiver/residents/{number}")
def resident(request: Request, who: Seer, number: Number, did: str = "") -> Response:
    """One of them."""
    return _page(request, who, number, did)


def _page(
    request: Request, who: Who, number: int, did: str = "", form: dict[str, str] | None = None, wrong: Any = ()
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        one = _found(conn, number)
        lines = {line.id: line for line in register_store.lines(conn)}
        uses: list[Use] = register_store.uses_of_resident(conn, number)
        waivers = fold(application_store.of_resident(conn, number))
        return {
            "one": one,
            "uses": [(use, lines[use.line_id]) for use in reversed(uses)],
            "waivers": list(reversed(waivers)),
            "lines": lines,
            "rule_names": application_view.rule_names(conn),
            "names_kept": inventory.names_kept(conn),
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "register_resident.html",
        who,
        422 if wrong else 200,
        form=form or values_of(values["one"]),
        wrong=wrong,
        did=did if did in _SAVED else "",
        phone=shown_phone,
        **values,
    )


def values_of(one: Resident) -> dict[str, str]:
    """Somebody as the fields of a form."""
    return {
        "resident_number": one.number,
        "resident_name": one.name,
        "resident_district": one.district,
        "resident_note": one.note,
        "resident_from": one.from_day,
        "resident_to": one.to_day,
    }


def _found(conn: Connection, number: int) -> Resident:
    one = register_store.resident(conn, number)
    if one is None:
        raise HTTPException(404)
    return one


@router.post("/waiver/residents/{number}")
def change(request: Request, who: Enterer, form: Form, number: Number) -> Response:
    """Changes what is known of somebody."""

    def write(conn: Connection) -> list[Wrong]:
        one = _found(conn, number)
        values, wrong = read(form, _fields(conn))
        if not wrong:
            try:
                put(conn, one, values, who.person.name, pages.now_ms())
            except Refused:
                return [Wrong("resident_number", values["resident_number"], "not_taken")]
        return wrong

    wrong = request.app.state.db.write_now(write)
    return (
        _page(request, who, number, form=form, wrong=wrong)
        if wrong
        else pages.to(f"/waiver/residents/{number}", did="save")
    )


def put(conn: Connection, one: Resident, values: dict[str, str], who: str, now_ms: int) -> None:
    """Keeps fields that were read, and notes which changed; a name is not repeated in the log. Raises db.Refused."""
    before = values_of(one)
    changed = {field: value for field, value in values.items() if value != before[field]}
    if not changed:
        return
    after = before | changed
    register_store.change_resident(
        conn,
        msgspec.structs.replace(
            one,
            number=after["resident_number"],
            name=after["resident_name"],
            district=after["resident_district"],
            note=after["resident_note"],
            from_day=after["resident_from"],
            to_day=after["resident_to"],
        ),
        now_ms,
    )
    audit.note(conn, now_ms, who, "resident_change", one.number, told(before, changed))


def told(before: dict[str, str], changed: dict[str, str]) -> str:
    """Each changed field for the audit log."""
    quiet = ("resident_name", "resident_note")
    parts = [
        f"{field}: …" if field in quiet else f"{field}: {before[field] or '–'} → {value or '–'}"
        for field, value in changed.items()
    ]
    return "; ".join(parts)[:400]
