"""What the pages show of one thing: facts, fields, the loan, who had it before."""

from typing import Any

from hub import pages, shown
from hub.db import Connection
from hub.guard import Who
from hub.inventory import store
from hub.inventory.thing import Item

_DAY_MS = 86_400_000
# A certificate is renewed at two thirds of its 90 days; with a fortnight left, renewal has failed for a while.
_SOON_DAYS = 14
_WORN_PERMILLE = 800


def of_device(conn: Connection, name: str, who: Who) -> dict[str, Any]:
    """The card of a device's page. Raises KeyError when there is no such device."""
    item = store.of_device(conn, name)
    if item is None:
        raise KeyError(name)
    return values(conn, item, who)


def values(conn: Connection, item: Item, who: Who) -> dict[str, Any]:
    """What the card and the page of a thing show."""
    now_ms = pages.now_ms()
    today = shown.day_of(now_ms)
    fact = store.fact(conn, item.device_id) if item.device_id is not None else None
    end_ms = fact.certificate_end_ms if fact else None
    return {
        "thing": item,
        "thing_path": path(item),
        "fact": fact,
        "worn": bool(fact and (fact.wear_permille or 0) >= _WORN_PERMILLE),
        "certificate_days": None if end_ms is None else (end_ms - now_ms) // _DAY_MS,
        "certificate_soon_days": _SOON_DAYS,
        "is_overdue": item.loan is not None and item.loan.until < today,
        "loans": store.loans(conn, item.id) if item.id else [],
        "names_kept": store.names_kept(conn),
        "today": today,
        "may_change": who.may("inventory"),
    }


def path(item: Item) -> str:
    """The address of a thing's page."""
    return f"/devices/{item.device}/inventory" if item.device else f"/inventory/{item.id}"
