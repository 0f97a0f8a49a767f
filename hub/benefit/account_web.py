"""The page of one resident's benefits: what is left and why, cards, grants, uses, and what devices hold of it."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi import Path as InPath

from hub import audit, pages, shown
from hub.benefit import account_store, allowance, store, use_store
from hub.benefit.form import GRANT, read_grant, reason, wrong
from hub.benefit.store import NewGrant
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.inventory import store as inventory
from hub.staff import stranger_store
from hub.staff.form import Wrong, WrongValue

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Keeper = Annotated[Who, Depends(need("benefits"))]
Number = Annotated[int, InPath(ge=1, le=pages.LAST_ID)]
Form = Annotated[dict[str, str], Depends(fields("do", "card", "grant", "device", "use", "back_reason", "day", *GRANT))]

_DID = ("grant", "give_card", "take_card", "take_back", "end_grant", "cannot")
_DIGITS = re.compile("[0-9a-f]{8,32}")
_STRANGERS = 8


@router.get("/benefits/accounts/{number}")
def account(request: Request, who: Seer, number: Number, did: str = "") -> Response:
    """One resident's benefits."""
    return _page(request, who, number, did=did if did in _DID else "")


def _page(
    request: Request,
    who: Who,
    number: int,
    *,
    status: int = 200,
    form: dict[str, str] | None = None,
    wrong: list[Wrong] | None = None,
    did: str = "",
) -> Response:
    now_ms = pages.now_ms()
    values = request.app.state.db.read(lambda conn: _gather(conn, number, now_ms))
    if values is None:
        raise HTTPException(404)
    today = shown.day_of(now_ms)
    year = int(today[:4]) - (today[5:7] < "04")
    filled = {"grant_from": today, "grant_until": f"{year + 1}-03-31", "grant_units": "", **(form or {})}
    more = {"form": filled, "wrong": wrong or [], "did": did, "today": today, "now_ms": now_ms}
    return pages.page(request, "benefit_account.html", who, status, **more, **values)


def _gather(conn: Connection, number: int, now_ms: int) -> dict[str, Any] | None:
    found = store.resident(conn, number)
    if found is None:
        return None
    today = shown.day_of(now_ms)
    rows = account_store.allowances(conn, [number])
    accounts = {code: one for (_, code), one in account_store.accounts(conn, [number]).items()}
    held: dict[str, list[account_store.AllowanceRow]] = {}
    for row in rows:
        held.setdefault(row.benefit, []).append(row)
    worst = {
        code: allowance.over_at_worst(one.balance(today), [row.exposure for row in held.get(code, ())])
        for code, one in accounts.items()
    }
    return {
        "resident": found,
        "kinds": store.kinds(conn),
        "accounts": accounts,
        "held": held,
        "worst": worst,
        "cards": store.cards(conn, number),
        "grants": store.grants(conn, number),
        "uses": use_store.uses(conn, number),
        "strangers": _strangers(conn),
        "names_kept": inventory.names_kept(conn),
    }


def _strangers(conn: Connection) -> list[stranger_store.Unknown]:
    """Cards that were tapped lately and belong to nobody."""
    return stranger_store.unknown_cards(conn)[:_STRANGERS]


@router.post("/benefits/accounts/{number}")
def change(request: Request, who: Keeper, number: Number, form: Form) -> Response:
    """Enters a grant, ends one, gives or takes a card, or takes a use back."""
    act = _ACTS.get(form.get("do", ""))
    if act is None:
        raise HTTPException(400)
    now_ms = pages.now_ms()

    def write(conn: Connection) -> bool:
        found = store.resident(conn, number)
        if found is None:
            raise HTTPException(404)
        return act(conn, found, form, who.person.name, now_ms)

    try:
        done = request.app.state.db.write_now(write)
    except WrongValue as error:
        return _page(request, who, number, status=422, form=form, wrong=[error.wrong])
    return pages.to(f"/benefits/accounts/{number}", did=form["do"] if done else "cannot")


def _enter_grant(conn: Connection, whose: store.Resident, form: dict[str, str], who: str, now_ms: int) -> bool:
    new = NewGrant(*read_grant(form, store.kinds(conn)))
    store.enter_grant(conn, whose.id, new, who, now_ms)
    audit.note(conn, now_ms, who, "benefit_grant", whose.number, f"{new.benefit} {new.units}")
    return True


def _end_grant(conn: Connection, whose: store.Resident, form: dict[str, str], who: str, now_ms: int) -> bool:
    number = form.get("grant", "")
    found = store.grant(conn, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else None
    if found is None or found.resident_id != whose.id or found.result != "approved":
        return False
    store.end_grant(conn, found, shown.day_of(now_ms), now_ms)
    audit.note(conn, now_ms, who, "benefit_end", whose.number, f"{found.benefit} {found.id}")
    return True


def _give_card(conn: Connection, whose: store.Resident, form: dict[str, str], who: str, now_ms: int) -> bool:
    digits = form.get("card", "").strip().lower()
    if not _DIGITS.fullmatch(digits):
        raise wrong("benefit_card", digits, "card_digits")
    tokens = {*stranger_store.strangers_like(conn, digits), *store.returned_like(conn, digits)}
    if len(tokens) != 1:
        raise wrong("benefit_card", digits, "longer_digits" if tokens else "card_digits")
    token = tokens.pop()
    if not store.give_card(conn, token, whose.id, now_ms):
        raise wrong("benefit_card", digits, "card_digits")
    audit.note(conn, now_ms, who, "benefit_card", whose.number, token[:8])
    return True


def _take_card(conn: Connection, whose: store.Resident, form: dict[str, str], who: str, now_ms: int) -> bool:
    token = form.get("card", "")
    done = store.take_card(conn, token, whose.id, now_ms)
    if done:
        audit.note(conn, now_ms, who, "benefit_card_back", whose.number, token[:8])
    return done


def _take_back(conn: Connection, whose: store.Resident, form: dict[str, str], who: str, now_ms: int) -> bool:
    device = form.get("device", "")
    name = (int(device), form.get("use", "")) if device.isascii() and device.isdigit() and len(device) < 19 else (0, "")
    found = use_store.use(conn, name)
    why = reason("back_reason", form)
    if found is None or found.resident_id != whose.id or not use_store.take_back(conn, found, why, who, now_ms):
        return False
    audit.note(conn, now_ms, who, "benefit_use_back", whose.number, f"{found.benefit} {found.units} {why}")
    return True


_ACTS = {
    "grant": _enter_grant,
    "end_grant": _end_grant,
    "give_card": _give_card,
    "take_card": _take_card,
    "take_back": _take_back,
}
