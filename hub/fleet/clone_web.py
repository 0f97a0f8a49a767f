"""The page of devices of which there were two, and of the records that are kept apart."""

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import audit, pages
from hub.db import Connection
from hub.fleet import clone_store, outbox
from hub.guard import Who, need, read_form

router = APIRouter()

Do = Literal["clone_take", "clone_drop", "clone_release"]
Keeper = Annotated[Who, Depends(need("enrol"))]
Form = Annotated[dict[str, str], Depends(read_form)]
# What cannot be undone, or lets records count again, is asked once more.
_ASKED = ("clone_drop", "clone_release")
_WHICH = ("device", "spool", "run", "boot")


@router.get("/settings/clones")
def clones(request: Request, who: Keeper) -> Response:
    """Which devices are on hold as copied, and what is kept apart of whom."""
    return pages.page(request, "clones.html", who, **request.app.state.db.read(_gather))


@router.post("/settings/clones")
def decide(request: Request, who: Keeper, form: Form) -> Response:
    """Takes records in, throws them away, or says that the device is one again."""
    do = next((known for known in get_args(Do) if known == form.get("do")), None)
    if do is None:
        raise HTTPException(400)
    which = {key: form.get(key, "") for key in _WHICH}
    if do in _ASKED and form.get("confirm") != "yes":
        return pages.page(request, "clone_confirm.html", who, do=do, which=which)
    if not request.app.state.db.write_now(lambda conn: carry_out(conn, do, which, who.person.name, pages.now_ms())):
        raise HTTPException(404)
    request.app.state.ingest.look_again()
    request.app.state.down.wake()
    return pages.to("/settings/clones")


def carry_out(conn: Connection, do: Do, which: dict[str, str], who: str, now_ms: int) -> bool:
    """Does it and notes it; False when there is nothing to do it to."""
    device = which["device"]
    if do == "clone_release":
        held = next((one for one in clone_store.held(conn) if one.device == device), None)
        if held is None:
            return False
        outbox.release(conn, held.id)
        audit.note(conn, now_ms, who, do, device)
        return True
    change = clone_store.decide_to_take if do == "clone_take" else clone_store.throw_away
    count = change(conn, device, which["spool"], which["run"], which["boot"])
    if count:
        audit.note(conn, now_ms, who, do, device, f"{count} {which['spool']} {which['boot']}")
    return count > 0


def _gather(conn: Connection) -> dict[str, Any]:
    return {"held": clone_store.held(conn), "kept": clone_store.kept(conn)}
