"""Values of a case as somebody wrote it down (rule): each is read, or told in one sentence with its place.

Times carry an offset, days are YYYY-MM-DD, hours of a day are two clock times.  Numbers with a fraction come as
`Decimal`, so that no value ever is a float.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hub.staff.terms import Hours

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK = re.compile(r"([0-3]?\d|4[0-8]):([0-5]\d)(?::00)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MONTH = re.compile(r"20\d\d-(0[1-9]|1[0-2])", re.ASCII)
DAY_MIN = 1440
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

    def objects(self, name: str) -> list["Fields"]:
        """A list of objects; none without it."""
        return [Fields(one, f"{self.place(name)}[{at}]") for at, one in enumerate(self.items(name))]

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

    def hours(self, name: str) -> Hours | None:
        """Hours of a day; None without them."""
        value = self.values.get(name)
        return None if value is None else hours(value, self.place(name))


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


def clock(value: object, where: str) -> int:
    """A clock time HH:MM as minutes since midnight; past 24:00 is the next day."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else 2 * DAY_MIN + 1
    if minutes > 2 * DAY_MIN:
        raise BadCase(where, "a clock time such as 17:15", value)
    return minutes


def hours(value: object, where: str) -> Hours:
    """Hours of a day: "08:30-17:15", ["08:30", "17:15"], or an object with from and to, or begin and end."""
    ends = _ends(value)
    if ends is None:
        raise BadCase(where, 'hours such as "08:30-17:15"', value)
    begin, end = clock(ends[0], where), clock(ends[1], where)
    if end <= begin:
        end += DAY_MIN
    if begin > DAY_MIN or end > 2 * DAY_MIN or end - begin > DAY_MIN:
        raise BadCase(where, "hours that begin on their day and are not longer than 24", str(value))
    return Hours(begin, end)


def _ends(value: object) -> tuple[object, object] | None:
    if isinstance(value, str):
        begin, dash, end = (part.strip() for part in value.replace("–", "-").replace("～", "-").partition("-"))
        return (begin, end) if dash else None
    if isinstance(value, list):
        return (value[0], value[1]) if len(value) == 2 else None
    if isinstance(value, dict):
        for begin, end in (("from", "to"), ("begin", "end"), ("start", "end")):
            if begin in value and end in value:
                return value[begin], value[end]
    return None
