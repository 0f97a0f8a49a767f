"""People who may sign in: to read. They are added and changed on the page, where the second factor is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from hub import people
from hub.api.gate import Caller, scope
from hub.api.model import Model, Number
from hub.api.problem import Refused

router = APIRouter(tags=["people"])
Reader = Annotated[Caller, Depends(scope("people:read"))]


class Person(Model):
    """Somebody who may sign in."""

    id: int
    name: str
    shown: str
    role: str
    disabled: bool
    has_password: bool
    has_second_factor: bool
    created_ms: int


class People(Model):
    """Everybody."""

    items: list[Person]


@router.get("/people")
def everyone(request: Request, caller: Reader) -> People:
    """Everybody, by name."""
    return People(items=[_person(one) for one in request.app.state.db.read(people.everyone)])


@router.get("/people/{number}")
def one_person(request: Request, caller: Reader, number: Number) -> Person:
    """One person."""
    found = request.app.state.db.read(lambda conn: people.by_id(conn, number))
    if found is None:
        raise Refused(404, f"there is nobody with the number {number}")
    return _person(found)


def _person(one: people.Person) -> Person:
    return Person(
        id=one.id,
        name=one.name,
        shown=one.shown,
        role=one.role,
        disabled=one.disabled,
        has_password=bool(one.password),
        has_second_factor=one.has_code,
        created_ms=one.created_ms,
    )
