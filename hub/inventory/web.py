"""Pages of inventory and loans: one thing with its fields and its loan, a thing that is not heard yet."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, need, read_form
from hub.inventory import card, store, transfer
from hub.inventory.fields import EDITABLE, KINDS, Wrong, clean_all
from hub.inventory.thing import Item

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Seer = Annotated[Who, Depends(need("devices"))]
Keeper = Annotated[Who, Depends(need("inventory"))]
Number = Annotated[int, Path(ge=1, le=pages.LAST_ID)]
Find = Callable[[Connection], Item | None]

_DONE = ("save", "lend", "prolong", "return", "import")
_CONDITION_LENGTH = 200

# Before the page of a thing of any number.
router.include_router(transfer.router)


@router.get("/inventory/new")
def new(request: Request, who: Keeper) -> Response:
    """A form for a thing whose device has not been heard yet."""
    return _new_page(request, who, {}, [])


@router.post("/inventory/new")
def enter(request: Request, who: Keeper, form: Form) -> Response:
    """Enters it."""

    def write(conn: Connection) -> tuple[Item | None, list[Wrong]]:
        item = Item(0, None, "", dict.fromkeys(EDITABLE, ""))
        values, wrong = _fields(conn, item, form)
        if not wrong and not (values["asset"] or values["serial"]):
            wrong = [Wrong("asset", "", "some_name")]
        if wrong:
            return None, wrong
        return store.item(conn, _save(conn, item, values, who)), []

    item, wrong = request.app.state.db.write_now(write)
    if item is None:
        return _new_page(request, who, form, wrong)
    return pages.to(card.path(item), did="save")


@router.get("/inventory/{number}")
def thing(request: Request, who: Seer, number: Number, did: str = "") -> Response:
    """One thing; when its device has been heard, its page is the device's."""
    return _thing_page(request, who, lambda conn: store.item(conn, number), did)


@router.post("/inventory/{number}")
def change_thing(request: Request, who: Keeper, form: Form, number: Number) -> Response:
    """Changes its fields, lends it, prolongs that, takes it back, or removes it."""
    return _change(request, who, form, lambda conn: store.item(conn, number))


@router.get("/devices/{name}/inventory")
def thing_of_device(request: Request, who: Seer, name: str, did: str = "") -> Response:
    """What a device is."""
    return _thing_page(request, who, lambda conn: store.of_device(conn, name), did)


@router.post("/devices/{name}/inventory")
def change_device(request: Request, who: Keeper, form: Form, name: str) -> Response:
    """The same for a device; one that nobody has entered is entered by it."""
    return _change(request, who, form, lambda conn: store.of_device(conn, name))


def _new_page(request: Request, who: Who, form: dict[str, str], wrong: list[Wrong]) -> Response:
    return pages.page(
        request, "inventory_new.html", who, 422 if wrong else 200, form=form, wrong=wrong, kinds=KINDS, kind_known=False
    )


def _thing_page(
    request: Request,
    who: Who,
    find: Find,
    did: str = "",
    form: dict[str, str] | None = None,
    wrong: list[Wrong] = [],  # noqa: B006
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        item = find(conn)
        if item is None:
            raise HTTPException(404)
        return card.values(conn, item, who)

    values = request.app.state.db.read(gather)
    item: Item = values["thing"]
    if not did and not wrong and request.url.path != values["thing_path"]:
        return pages.to(values["thing_path"])
    return pages.page(
        request,
        "inventory_thing.html",
        who,
        422 if wrong else 200,
        form={**item.values, **(form or {})},
        wrong=wrong,
        kinds=KINDS,
        kind_known=bool(item.device and item.values["kind"]),
        did=did if did in _DONE else "",
        wipes=bool(item.device and did == "return" and who.may("order")),
        **values,
    )


# ---- changing


class Done(NamedTuple):
    """Where to go after a change, or what was wrong with it."""

    path: str = ""
    wrong: tuple[Wrong, ...] = ()


def _change(request: Request, who: Who, form: dict[str, str], find: Find) -> Response:
    do = form.get("do", "")
    if do not in _ACTS:
        raise HTTPException(400)

    def write(conn: Connection) -> Done:
        item = find(conn)
        if item is None:
            raise HTTPException(404)
        return _ACTS[do](conn, item, form, who)

    done: Done = request.app.state.db.write_now(write)
    if done.wrong:
        return _thing_page(request, who, find, form=form, wrong=list(done.wrong))
    return pages.to(done.path, **({} if do == "remove" else {"did": do}))


def _act_save(conn: Connection, item: Item, form: dict[str, str], who: Who) -> Done:
    values, wrong = _fields(conn, item, form)
    if not wrong and not (item.device or values["asset"] or values["serial"]):
        wrong = [Wrong("asset", "", "some_name")]
    if wrong:
        return Done(wrong=tuple(wrong))
    return _back(conn, _save(conn, item, values, who))


def _fields(conn: Connection, item: Item, form: dict[str, str]) -> tuple[dict[str, str], list[Wrong]]:
    """The fields of a form, and what is wrong with them."""
    known = item.device and item.values["kind"]
    values, wrong = clean_all({**form, **({"kind": item.values["kind"]} if known else {})}, EDITABLE)
    for field in ("asset", "serial"):
        if values.get(field) and store.taken(conn, field, values[field], item.id):
            wrong.append(Wrong(field, values[field], "not_taken"))
    return values, wrong


def _save(conn: Connection, item: Item, values: dict[str, str], who: Who) -> int:
    changed = {field: value for field, value in values.items() if value != item.values[field]}
    now_ms = pages.now_ms()
    number = item.id or store.enter(conn, item.device_id, now_ms)
    if changed or not item.id:
        store.change(conn, number, changed, now_ms)
        store.join(conn, now_ms)
        label = item.label or values["asset"] or values["serial"]
        audit.note(conn, now_ms, who.person.name, "inventory", label, transfer.told(item.values, changed))
    return number


def _back(conn: Connection, number: int) -> Done:
    item = store.item(conn, number)
    assert item is not None  # noqa: S101 (just written)
    return Done(card.path(item))


def _act_lend(conn: Connection, item: Item, form: dict[str, str], who: Who) -> Done:
    now_ms = pages.now_ms()
    asked = ("loan_number", "loan_since", "loan_until") + (("loan_name",) if store.names_kept(conn) else ())
    values, wrong = clean_all({**form, "loan_since": form.get("loan_since") or shown.day_of(now_ms)}, asked)
    if item.loan is not None:
        wrong.append(Wrong("loan_number", item.loan.number, "back_first"))
    wrong += [Wrong(field, "", "needed") for field in ("loan_number", "loan_until") if values.get(field) == ""]
    if not wrong and values["loan_until"] < values["loan_since"]:
        wrong.append(Wrong("loan_until", values["loan_until"], "after_since"))
    if wrong:
        return Done(wrong=tuple(wrong))
    number = item.id or store.enter(conn, item.device_id, now_ms)
    store.lend(conn, number, values, who.person.name)
    told = f"{values['loan_number']} {values['loan_since']} – {values['loan_until']}"
    audit.note(conn, now_ms, who.person.name, "lend", item.label, told)
    return _back(conn, number)


def _act_prolong(conn: Connection, item: Item, form: dict[str, str], who: Who) -> Done:
    if item.loan is None:
        raise HTTPException(409)
    values, wrong = clean_all(form, ("loan_until",))
    if not wrong and values["loan_until"] < item.loan.since:
        wrong = [Wrong("loan_until", values["loan_until"], "after_since")]
    if wrong:
        return Done(wrong=tuple(wrong))
    store.prolong(conn, item.id, values["loan_until"])
    told = f"{item.loan.number} {item.loan.until} → {values['loan_until']}"
    audit.note(conn, pages.now_ms(), who.person.name, "prolong", item.label, told)
    return _back(conn, item.id)


def _act_return(conn: Connection, item: Item, form: dict[str, str], who: Who) -> Done:
    if item.loan is None:
        raise HTTPException(409)
    condition = form.get("condition", "").strip()
    if len(condition) > _CONDITION_LENGTH:
        return Done(wrong=(Wrong("loan_condition", condition[:60], "shorter", _CONDITION_LENGTH),))
    now_ms = pages.now_ms()
    store.take_back(conn, item.id, shown.day_of(now_ms), condition, who.person.name)
    audit.note(conn, now_ms, who.person.name, "take_back", item.label, item.loan.number)
    return _back(conn, item.id)


def _act_remove(conn: Connection, item: Item, form: dict[str, str], who: Who) -> Done:
    if not store.remove(conn, item.id):
        raise HTTPException(409)
    audit.note(conn, pages.now_ms(), who.person.name, "inventory_removed", item.label)
    return Done("/devices?condition=unheard")


_ACTS: dict[str, Callable[[Connection, Item, dict[str, str], Who], Done]] = {
    "save": _act_save,
    "lend": _act_lend,
    "prolong": _act_prolong,
    "return": _act_return,
    "remove": _act_remove,
}
