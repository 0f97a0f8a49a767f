"""Pages of vouchers: made, printed, withdrawn.

1. Codes are shown once: for half an hour, to whoever made them (`voucher_codes.py`); after that a lost sheet is
   replaced by other codes, and its own count no more.
2. More vouchers than fit into what an access point is sent are not made; the page says how many more would fit.
3. What cannot be undone (withdrawing, replacing) is asked once.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from hub import audit, pages, shown
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.wifi import keys, kit, kit_store, kit_task, voucher, voucher_paper, voucher_store
from hub.wifi.keys import BadKey
from hub.wifi.kit import VoucherRow
from hub.wifi.voucher import Printed, Wanted
from hub.wifi.voucher_codes import VoucherCodes, new_codes
from hub.wifi.voucher_paper import Sheet
from hub.wifi.voucher_store import Batch
from wire.ca_folder import BadFolder
from wire.kit import code_hash

router = APIRouter()

_FIELDS = ("label", "count", "minutes", "devices", "until")
_DEFAULT = {"label": "", "count": "50", "minutes": "1440", "devices": "1", "until": ""}
Clerk = Annotated[Who, Depends(need("vouchers"))]
Form = Annotated[dict[str, str], Depends(fields(*_FIELDS))]
Act = Annotated[dict[str, str], Depends(fields("do"))]
Number = Annotated[int, Query(ge=1, le=pages.LAST_ID)]


class _Full(Exception):
    """Not so many fit; how many more would."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room


@router.get("/wifi/vouchers")
def vouchers(request: Request, who: Clerk, did: str = "") -> Response:
    """Every batch, and a form for another."""
    typed = {**_DEFAULT, "until": (_today() + timedelta(days=30)).isoformat()}
    return _list(request, who, typed, did=did[:20])


def _list(request: Request, who: Who, typed: dict[str, str], status: int = 200, **more: Any) -> Response:
    check, now_ms = _check(request), pages.now_ms()

    def gather(conn: Connection) -> dict[str, Any]:
        return {"batches": voucher_store.batches(conn, check), "networks": kit_store.networks(conn)}

    values = {"did": "", "wrong": {}, "full": None, **more}
    found = request.app.state.db.read(gather)
    return pages.page(request, "wifi_vouchers.html", who, status, typed=typed, now_ms=now_ms, **values, **found)


@router.post("/wifi/vouchers")
def make(request: Request, who: Clerk, form: Form) -> Response:
    """Makes a batch; its codes are shown on the next page."""
    wanted, wrong = _read(form)
    if wanted is None:
        return _list(request, who, {**_DEFAULT, **form}, 422, wrong=wrong)
    try:
        batch_id = _make(request, who, wanted)
    except _Full as full:
        return _list(request, who, {**_DEFAULT, **form}, 422, full=full.room)
    except (BadKey, OSError) as error:
        return _list(request, who, {**_DEFAULT, **form}, 503, wrong={"key": str(error)})
    return pages.to(f"/wifi/vouchers/{batch_id}", did="made")


@router.get("/wifi/vouchers/{number}")
def one(
    request: Request, who: Clerk, number: int, did: str = "", sure: Literal["", "withdraw", "again"] = ""
) -> Response:
    """One batch: its sheet for as long as there are codes, what was used."""
    return _one(request, who, _found(request, number), did=did[:20], sure=sure)


def _one(
    request: Request, who: Who, found: Batch, *, did: str = "", sure: str = "", full: int | None = None
) -> Response:
    kept = _codes(request).of(found.id, who.person.id, pages.now_ms())
    used = request.app.state.db.read(lambda conn: voucher_store.used(conn, found))
    values = {"did": did, "sure": sure, "full": full, "kept": kept, "used": used, "now_ms": pages.now_ms()}
    return pages.page(request, "wifi_voucher.html", who, 422 if full is not None else 200, one=found, **values)


@router.get("/wifi/vouchers/{number}/sheet.pdf")
def sheet(request: Request, who: Clerk, number: int) -> Response:
    """The sheet to print, while its codes are kept."""
    found = _found(request, number)
    kept = _codes(request).of(found.id, who.person.id, pages.now_ms())
    if kept is None:
        return pages.to(f"/wifi/vouchers/{number}", did="gone")
    networks = request.app.state.db.read(kit_store.networks)
    names = [name for name, taken in networks if taken] or [name for name, _ in networks]
    about = Sheet(
        found.label,
        " / ".join(names[:3]) or "Wi-Fi",
        f"https://{request.app.state.settings.wifi.portal_host}/",
        found.minutes,
        found.devices,
        _last_day(found.until_ms),
    )
    return Response(
        voucher_paper.sheet(about, kept.codes),
        media_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="vouchers-{found.id}.pdf"', "Cache-Control": "no-store"},
    )


@router.post("/wifi/vouchers/{number}")
def act(request: Request, who: Clerk, number: int, form: Act) -> Response:
    """Withdraws a batch, puts other codes in the place of its own, or forgets codes that are printed."""
    found, do = _found(request, number), form.get("do", "")
    if do == "printed":
        if _codes(request).of(found.id, who.person.id, pages.now_ms()) is not None:
            _codes(request).drop(found.id)
        return pages.to(f"/wifi/vouchers/{number}")
    if do in ("ask_withdraw", "ask_again"):
        return pages.to(f"/wifi/vouchers/{number}", sure=do.removeprefix("ask_"))
    if do == "withdraw":
        return _withdraw(request, who, found)
    if do == "again" and found.withdrawn_ms is None and found.until_ms > pages.now_ms():
        wanted = Wanted(found.label, found.count, found.minutes, found.devices, found.until_ms)
        try:
            return pages.to(f"/wifi/vouchers/{_make(request, who, wanted, found.id)}", did="again")
        except _Full as full:
            return _one(request, who, found, full=full.room)
    return pages.to(f"/wifi/vouchers/{number}")


def _withdraw(request: Request, who: Who, found: Batch) -> Response:
    now_ms = pages.now_ms()

    def write(conn: Connection) -> bool:
        done = voucher_store.withdraw(conn, found.id, who.person.name, now_ms)
        if done:
            audit.note(conn, now_ms, who.person.name, "voucher_withdraw", str(found.id), found.label)
        return done

    done = request.app.state.db.write_now(write)
    _codes(request).drop(found.id)
    return pages.to(f"/wifi/vouchers/{found.id}", did="withdrawn" if done else "")


# ---- making


def _make(request: Request, who: Who, wanted: Wanted, instead_of: int | None = None) -> int:
    """A batch with new codes; the one that it replaces counts no more. Raises _Full, BadKey, OSError."""
    key, now_ms = keys.voucher_key(_folder(request)), pages.now_ms()
    codes = new_codes(wanted.count)
    hashes = [code_hash(key, one) for one in codes]
    room = _room(request, wanted, hashes, keys.check(key), now_ms, instead_of)
    if room is not None:
        raise _Full(room)

    def write(conn: Connection) -> int:
        if instead_of is not None:
            voucher_store.withdraw(conn, instead_of, who.person.name, now_ms)
        made = voucher_store.make(conn, wanted, hashes, keys.check(key), who.person.name, now_ms, instead_of)
        did: Literal["voucher_make", "voucher_make_again"] = "voucher_make_again" if instead_of else "voucher_make"
        audit.note(conn, now_ms, who.person.name, did, str(made), f"{wanted.label} {wanted.count}")
        return made

    batch_id: int = request.app.state.db.write_now(write)
    printed = [Printed(kit.voucher_id(batch_id, number), one) for number, one in enumerate(codes, 1)]
    _codes(request).keep(batch_id, who.person.id, printed, now_ms)
    if instead_of is not None:
        _codes(request).drop(instead_of)
    return batch_id


def _room(
    request: Request, wanted: Wanted, hashes: list[str], check: str, now_ms: int, instead_of: int | None
) -> int | None:
    """How many vouchers more would fit into a kit, when these do not; None when they do."""
    try:
        files = kit_task.read_files(request.app.state.settings, now_ms)
    except (BadKey, BadFolder, OSError):
        # No kit can be made now; that is told elsewhere, and looked at when one can.
        return None
    rows = [
        VoucherRow(0, number, one, wanted.minutes, wanted.devices, wanted.until_ms, check)
        for number, one in enumerate(hashes, 1)
    ]
    more = kit.vouchers(rows, check, now_ms)
    room: int | None = request.app.state.db.read(
        lambda conn: kit_store.overfull(conn, files, now_ms, more=more, without=instead_of)
    )
    return room


def _read(form: dict[str, str]) -> tuple[Wanted | None, dict[str, str]]:
    """The batch that a form asks for, or what is wrong with which field."""
    wrong: dict[str, str] = {}
    label = form.get("label", "").strip()
    if not 0 < len(label) <= voucher.LONGEST_LABEL or not label.isprintable():
        wrong["label"] = "label"
    figures = {}
    for name, most in (("count", voucher.MOST), ("minutes", voucher.MOST_MINUTES), ("devices", voucher.MOST_DEVICES)):
        figures[name] = _figure(form.get(name, ""), most)
        if not figures[name]:
            wrong[name] = name
    until_ms = _end_of(form.get("until", ""))
    if until_ms is None:
        wrong["until"] = "until"
    if wrong or until_ms is None:
        return None, wrong
    return Wanted(label, figures["count"], figures["minutes"], figures["devices"], until_ms), {}


def _figure(text: str, most: int) -> int:
    """A whole number from 1 to `most`; 0 for anything else."""
    text = text.strip()
    found = int(text) if text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else 0
    return found if found <= most else 0


def _end_of(text: str) -> int | None:
    """When a day has ended in Japan; None for what is none, is over, or is too far ahead."""
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    if not _today() <= day <= _today() + timedelta(days=voucher.MOST_DAYS):
        return None
    return shown.day_start_ms(day + timedelta(days=1))


def _last_day(until_ms: int) -> str:
    return shown.day_of(until_ms - 1)


def _today() -> date:
    return shown.moment(pages.now_ms()).date()


def _found(request: Request, number: int) -> Batch:
    if not 1 <= number <= pages.LAST_ID:
        raise HTTPException(404)
    check = _check(request)
    found: Batch | None = request.app.state.db.read(lambda conn: voucher_store.batch(conn, number, check))
    if found is None:
        raise HTTPException(404)
    return found


def _folder(request: Request) -> Path:
    return keys.folder_of(Path(request.app.state.settings.state_dir))


def _check(request: Request) -> str:
    """That of the voucher key; empty when it cannot be read, and then no batch counts."""
    try:
        return keys.check(keys.voucher_key(_folder(request)))
    except (BadKey, OSError):
        return ""


def _codes(request: Request) -> VoucherCodes:
    found: VoucherCodes = request.app.state.voucher_codes
    return found
