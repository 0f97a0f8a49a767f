"""What the API's bodies share: strict models, lists page by page, names and numbers as they may be."""

from typing import Annotated, Generic, TypeVar

from fastapi import Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

T = TypeVar("T")

# The largest whole number that every reader of JSON has exactly (RFC 8259, 6); no row's number comes near it.
LAST_ID = 2**53 - 1


class Model(BaseModel):
    """A body: nothing is guessed (`"1"` is no number), and nothing unknown is passed over."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _whole(value: object) -> object:
    """JSON has one kind of number: 5.0 is 5. A truth value is none."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)


class Page(Model, Generic[T]):
    """A part of a list; `next` is the cursor of the part after it, null at the end."""

    items: list[T]
    next: str | None


DEVICE_PATTERN = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
NUMBER_PATTERN = "^[1-9][0-9]{0,17}$"

Name = Annotated[str, Path(pattern=DEVICE_PATTERN, max_length=63, description="A device's name.")]
Number = Annotated[int, Path(ge=1, le=LAST_ID)]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items a part has at most.")]
DeviceName = Annotated[str, Field(pattern=DEVICE_PATTERN, max_length=63)]
NumberCursor = Annotated[
    str | None, Query(pattern=NUMBER_PATTERN, max_length=18, description="Where the part begins: the `next` before.")
]
NameCursor = Annotated[
    str | None, Query(pattern=DEVICE_PATTERN, max_length=63, description="Where the part begins: the `next` before.")
]


def number_of(cursor: str | None) -> int | None:
    """The row before which a part begins."""
    return int(cursor) if cursor else None


def part(found: list[T], limit: int, cursor: "list[str]") -> Page[T]:
    """A part of a list of which one item more than `limit` was read; `cursor` names each item."""
    more = len(found) > limit
    return Page(items=found[:limit], next=cursor[limit - 1] if more else None)
