"""Values of a case as somebody wrote it down (rule): each is read, or told in one sentence with its place.

Times carry an offset, days are YYYY-MM-DD, months YYYY-MM.  Numbers with a fraction come as `Decimal`, so that no value
ever is a float.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Self

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
_UNTOLD = object()


class BadCase(ValueError):
    """A value that cannot be read: where it stands, what was expected, what was found."""

    def __init__(self, where: str, expected: str, found: object = _UNTOLD) -> None:
        """One plain sentence, whatever the value was."""
        shown = "" if found is _UNTOLD else f", found {_shown(found)}"
        super().__init__(f"{where}: expected {expected}{shown}")


def _shown(found: object) -> str:
    if isinstance(found, dict | list):
        return "an object" if isinstance(found, dict) else "a list"
    if found is None or isinstance(found, bool):
        return {None: "null", True: "true", False: "false"}[found]
    text = str(found) if isinstance(found, int | Decimal) else repr(found)
    return text if len(text) <= 40 else text[:37] + "..."


class Fields:
    """The values of one object by their names, and where in the case it stands."""

    def __init__(self, value: object, where: str, known: frozenset[str] | None = None) -> None:
        """Raises BadCase when it is no object, or has a name that is not in `known`."""
        if not isinstance(value, dict):
            raise BadCase(where, "an object", value)
        self.values: Mapping[str, object] = value
        self.where = where
        for name in value:
            if known is not None and name not in known:
                raise BadCase(f"{where}", f"only {', '.join(sorted(known))}", name)

    def place(self, name: str) -> str:
        """Where a value stands."""
        return f"{self.where}.{name}" if self.where != "given" else name

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self.values.get(name) is not None

    def get(self, name: str) -> object:
        """The value as it is, None without it."""
        return self.values.get(name)

    def objects(self, name: str, known: frozenset[str] | None = None) -> list[Self]:
        """A list of objects; none without it."""
        return [type(self)(one, f"{self.place(name)}[{at}]", known) for at, one in enumerate(self.items(name))]

    def items(self, name: str) -> list[object]:
        """A list; empty without it."""
        value = self.values.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadCase(self.place(name), "a list", value)
        return value

    def text(self, name: str) -> str:
        """A text; empty without it."""
        value = self.values.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise BadCase(self.place(name), "a text", value)
        return value

    def choice(self, name: str, *choices: str) -> str:
        """One of the choices; the first without it."""
        value = self.values.get(name)
        if value is None:
            return choices[0]
        if not isinstance(value, str) or value not in choices:
            raise BadCase(self.place(name), " or ".join(choices), value)
        return value

    def whole(self, name: str, most: int = 1_000_000_000) -> int | None:
        """A whole number from 0 to `most`; None without it."""
        value = self.values.get(name)
        return None if value is None else whole(value, self.place(name), most)

    def day(self, name: str) -> date:
        """A day."""
        return day(self.values.get(name), self.place(name))

    def time(self, name: str) -> int:
        """A time, in milliseconds of UTC."""
        return time(self.values.get(name), self.place(name))


def whole(value: object, where: str, most: int = 1_000_000_000) -> int:
    """A whole number from 0 to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise BadCase(where, f"a whole number from 0 to {most}", value)
    return value


def month(value: object, where: str) -> str:
    """A month, YYYY-MM."""
    if not isinstance(value, str) or not _MONTH.fullmatch(value):
        raise BadCase(where, "a month from 2000-01 to 2099-12", value)
    return value


def day(value: object, where: str) -> date:
    """A day, YYYY-MM-DD."""
    if isinstance(value, str) and _DAY.fullmatch(value) and value[:2] in ("19", "20", "21"):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise BadCase(where, "a day such as 2026-11-18", value)


def time(value: object, where: str) -> int:
    """A time with its offset, in milliseconds of UTC; what is finer is dropped."""
    if isinstance(value, str) and value.isascii() and "T" in value:
        try:
            at = datetime.fromisoformat(value)
            if at.utcoffset() is not None and 1970 < at.year < 2150:
                return (at - _EPOCH) // timedelta(milliseconds=1)
        except (ValueError, OverflowError):
            pass
    raise BadCase(where, "a time with its offset such as 2026-11-18T08:30:00+09:00", value)
