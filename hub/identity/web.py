"""Pages of new devices: codes, devices expected by their serial number, requests that wait for a person."""

from typing import Annotated, Any, get_args

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages, qr
from hub.db import Connection
from hub.guard import Who, fresh, need, read_form
from hub.identity import door, enrol_store, inviting, register_web
from hub.identity.authority import BadFolder
from hub.identity.enrol_store import Expected
from hub.live import Change
from wire import enrolment, topics

router = APIRouter()
router.include_router(door.router)
router.include_router(register_web.router)

KINDS: tuple[str, ...] = get_args(enrolment.Kind)
_SERIAL_LENGTH = 100

Form = Annotated[dict[str, str], Depends(read_form)]
Enroller = Annotated[Who, Depends(need("enrol"))]
# Letting a device in is not for a desk that was left.
SureEnroller = Annotated[Who, Depends(fresh("enrol"))]


class Told(msgspec.Struct, frozen=True):
    """What was just done (`id_done_…`), to which device, and the way back if there is one."""

    did: str
    name: str = ""
    was: Expected | None = None


_DONE = ("back", "expected", "approved", "refused", "gone")


@router.get("/devices/enrol")
def new_devices(request: Request, who: Enroller, did: str = "", name: str = "") -> Response:
    """What waits for a person, a code for one device, and the list of expected ones."""
    told = Told(did, name[:80]) if did in _DONE else None
    return _page(request, who, told=told)


def _page(
    request: Request, who: Who, status: int = 200, *, told: Told | None = None, error: str = "", form: Any = None
) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        return {
            "waiting": [(one, enrolment.compare_text(one.key_name)) for one in enrol_store.waiting(conn)],
            "codes": enrol_store.open_codes(conn, pages.now_ms()),
            "expected": enrol_store.everyone_expected(conn),
        }

    values = request.app.state.db.read(gather)
    return pages.page(
        request,
        "identity_enrol.html",
        who,
        status,
        told=told,
        error=error,
        form=form or {},
        kinds=KINDS,
        ready=_root_of(request) is not None,
        **values,
    )


def _root_of(request: Request) -> str | None:
    """The SHA-256 of the root, which stands beside each code; None while this hub has no issuers."""
    try:
        root: str = request.app.state.identity.authority().root_fingerprint
    except BadFolder:
        return None
    return root


# ---- codes


@router.post("/devices/enrol/codes")
def make_code(request: Request, who: SureEnroller, form: Form) -> Response:
    """A code for one device, shown this once."""
    device, kind = form.get("device", "").strip().lower(), form.get("kind", "")
    hardware = form.get("serial", "").strip()[:_SERIAL_LENGTH]
    root = _root_of(request)
    if error := _wrong(device, kind) or ("" if root else "id_no_issuers"):
        return _page(request, who, 400, error=error, form=form)
    made = request.app.state.db.write_now(
        lambda conn: inviting.make_code(conn, device, kind, hardware, who.person.name)
    )
    if isinstance(made, str):
        return _page(request, who, 409, error="id_is_stolen", form=form)
    invitation = enrolment.invite(request.app.state.settings.url, made.code, root or "")
    return pages.page(
        request,
        "identity_code.html",
        who,
        device=device,
        kind=kind,
        made=made,
        invitation=invitation,
        picture=qr.image(invitation.text),
    )


def _wrong(device: str, kind: str) -> str:
    """What is wrong with a name or a kind: a word's key."""
    if not topics.is_device(device):
        return "id_bad_name"
    return "" if kind in KINDS else "id_bad_kind"


@router.post("/devices/enrol/back")
def take_back(request: Request, who: Enroller, form: Form) -> Response:
    """A code is worth nothing from now on."""
    device = form.get("device", "")
    there_was = request.app.state.db.write_now(lambda conn: inviting.take_back(conn, device, who.person.name))
    return pages.to("/devices/enrol", did="back" if there_was else "gone", name=device[:80])


# ---- devices that are expected


@router.post("/devices/enrol/expected")
def expect(request: Request, who: SureEnroller, form: Form) -> Response:
    """A serial number, and what that device will be called."""
    device, kind = form.get("device", "").strip().lower(), form.get("kind", "")
    hardware = form.get("serial", "").strip()
    if error := _wrong(device, kind) or ("" if 0 < len(hardware) <= _SERIAL_LENGTH else "id_bad_serial"):
        return _page(request, who, 400, error=error, form=form)
    one = Expected(hardware, device, kind, form.get("at_once") == "yes", who.person.name, pages.now_ms())
    if not request.app.state.db.write_now(lambda conn: inviting.expect(conn, one)):
        return _page(request, who, 409, error="id_expected_already", form=form)
    return pages.to("/devices/enrol", did="expected", name=device)


@router.post("/devices/enrol/forget")
def forget(request: Request, who: Enroller, form: Form) -> Response:
    """Takes a serial number off the list, with a way back."""
    hardware = form.get("serial", "")
    was = request.app.state.db.write_now(lambda conn: inviting.forget(conn, hardware, who.person.name))
    if was is None:
        return pages.to("/devices/enrol", did="gone")
    return _page(request, who, told=Told("forgotten", was.device, was))


# ---- requests


@router.post("/devices/enrol/requests")
def decide(request: Request, who: SureEnroller, form: Form) -> Response:
    """Approves or refuses a request; the device hears of it when it asks again, within seconds."""
    what, key_name = form.get("do", ""), form.get("key", "")
    if what not in ("approve", "refuse"):
        raise HTTPException(400)
    approve = what == "approve"
    asked = request.app.state.db.write_now(
        lambda conn: inviting.decide(conn, key_name, who.person.name, approve=approve)
    )
    if asked is None:
        return pages.to("/devices/enrol", did="gone")
    request.app.state.live.tell(Change(frozenset({asked.device}), at_ms=pages.now_ms()))
    return pages.to("/devices/enrol", did="approved" if approve else "refused", name=asked.device)
