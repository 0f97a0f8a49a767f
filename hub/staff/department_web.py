"""Pages of departments, and whether names of staff are kept."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from hub import pages
from hub.db import Connection, Refused
from hub.guard import Who, need, read_form
from hub.staff import acts, store
from hub.staff.form import Wrong, WrongValue, text

router = APIRouter()

Form = Annotated[dict[str, str], Depends(read_form)]
Keeper = Annotated[Who, Depends(need("staff"))]


@router.get("/staff/departments")
def departments(request: Request, who: Keeper, did: str = "", n: int = 0) -> Response:
    """The departments, and the choice about names."""
    known = ("department", "keep_names", "forget_names")
    return _page(request, who, did=did if did in known else "", n=n)


def _page(request: Request, who: Who, status: int = 200, **more: Any) -> Response:
    def gather(conn: Connection) -> dict[str, Any]:
        today: dict[str, int] = {}
        for member in store.members(conn).values():
            if member.left is None and member.terms:
                today[member.terms[-1].department] = today.get(member.terms[-1].department, 0) + 1
        return {
            "departments": store.departments(conn),
            "members_of": today,
            "names_kept": store.names_kept(conn),
            "names": store.names(conn),
        }

    values = request.app.state.db.read(gather)
    given = {"did": "", "n": 0, "wrong": [], "form": {}, "sure": "", **more}
    return pages.page(request, "staff_departments.html", who, status, **values, **given)


@router.post("/staff/departments")
def change(request: Request, who: Keeper, form: Form) -> Response:
    """A new one, another name, none any more, one again."""
    do = form.get("do", "")
    if do not in ("add", "save", "close", "open"):
        raise HTTPException(400)

    def write(conn: Connection) -> None:
        code = text("department_code", form.get("department_code", ""))
        name = text("department_name", form.get("department_name", ""))
        now_ms, person = pages.now_ms(), who.person.name
        if do == "add":
            acts.add_department(conn, now_ms, person, code, name)
            return
        found = next((one for one in store.departments(conn) if one.code == code), None)
        if found is None:
            raise HTTPException(404)
        closed = found.closed if do == "save" else do == "close"
        acts.change_department(conn, now_ms, person, found, name, closed=closed)

    try:
        request.app.state.db.write_now(write)
    except WrongValue as error:
        return _page(request, who, 422, wrong=[error.wrong], form=form)
    except Refused:
        wrong = Wrong("department_code", form["department_code"][:60], "not_taken_department")
        return _page(request, who, 422, wrong=[wrong], form=form)
    return pages.to("/staff/departments", did="department")


@router.post("/staff/names")
def names(request: Request, who: Keeper, form: Form) -> Response:
    """Whether names are kept; asks once before it deletes them."""
    choice = form.get("names", "")
    if choice not in ("kept", "forgotten"):
        raise HTTPException(400)
    if choice == "forgotten" and form.get("sure") != "yes":
        return _page(request, who, sure="names")
    kept, now_ms = choice == "kept", pages.now_ms()
    n = request.app.state.db.write_now(lambda conn: acts.keep_names(conn, now_ms, who.person.name, kept=kept))
    return pages.to("/staff/departments", did="keep_names" if kept else "forget_names", n=str(n))
