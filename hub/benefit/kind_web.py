"""Pages of kinds of benefits: what there is, and entering or changing one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from hub import audit, pages, shown
from hub.benefit import store
from hub.benefit.form import KIND, read_kind, values_of
from hub.db import Connection
from hub.guard import Who, fields, need
from hub.staff.form import Wrong, WrongValue

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]
Keeper = Annotated[Who, Depends(need("benefits"))]
Form = Annotated[dict[str, str], Depends(fields(*KIND))]

# A taxi voucher, as most towns that have one begin.
_FIRST = {
    "benefit_code": "taxi",
    "benefit_name_ja": "タクシー券",
    "benefit_name_en": "Taxi voucher",
    "benefit_unit_ja": "枚",
    "benefit_unit_en": "vouchers",
    "benefit_unit_yen": "600",
    "benefit_offline_units": "2",
    "benefit_offline_days": "3",
}


@router.get("/benefits/kinds")
def kinds(request: Request, who: Seer, code: Annotated[str, Query(max_length=20)] = "", did: str = "") -> Response:
    """Every kind, and a form for one of them or another."""
    return _page(request, who, None, code=code, did=did if did in ("new", "changed") else "")


def _page(
    request: Request, who: Who, form: dict[str, str] | None, status: int = 200, wrong: list[Wrong] | None = None,
    code: str = "", did: str = "",
) -> Response:  # fmt: skip
    found = request.app.state.db.read(store.kinds)
    if form is None:
        first = _FIRST if not found else {}
        form = values_of(found[code]) if code in found else {**first, "benefit_from": shown.day_of(pages.now_ms())}
    values = {"kinds": found, "form": form, "wrong": wrong or [], "did": did, "changes": code in found}
    return pages.page(request, "benefit_kinds.html", who, status, **values)


@router.post("/benefits/kinds")
def save(request: Request, who: Keeper, form: Form) -> Response:
    """Enters a kind, or changes it; what is booked already stays as it is."""
    try:
        kind = read_kind(form)
    except WrongValue as error:
        return _page(request, who, form, 422, [error.wrong], form.get("benefit_code", ""))
    now_ms = pages.now_ms()

    def write(conn: Connection) -> bool:
        new = store.set_kind(conn, kind, now_ms)
        said = f"{kind.name_ja} {kind.unit_yen} {kind.offline_units}/{kind.offline_days}"
        audit.note(conn, now_ms, who.person.name, "benefit_kind", kind.code, said)
        return new

    new = request.app.state.db.write_now(write)
    return pages.to("/benefits/kinds", did="new" if new else "changed")
