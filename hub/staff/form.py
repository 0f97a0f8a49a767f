"""What people write of staff, field by field, as it is kept (rule).

1. A staff number is text: nothing is taken from it but the space around it; letters and figures in full width become
   narrow, so that two of the same look are equal.
2. Hours are written 8:30-17:15; an end past midnight lies in the next day (22:00-7:00 is 22:00-31:00).
3. A value that cannot be is told by its field, what was found, and the word for what was expected (`expect_…`).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from hub import day
from hub.staff.terms import Hours, Office, StaffKind, Terms

WEEKDAYS = ("staff_mon", "staff_tue", "staff_wed", "staff_thu", "staff_fri", "staff_sat", "staff_sun")
PAY = ("staff_base", "staff_hourly", "staff_unit")
# What says how somebody is employed, in the order of forms and files.
TERMS = ("staff_department", "staff_kind", "staff_hours", *WEEKDAYS, *PAY, "staff_office", "staff_tracked")
# Two weeks' wages of the whole town hall: whatever is more is a slip of the hand.
_MOST_YEN = 10_000_000
_LENGTHS = {"staff_number": 20, "staff_name": 60, "card_label": 40, "department_code": 20, "department_name": 60}
_HOURS = re.compile(r"(\d{1,2})(?::?(\d{2}))?\s*[-~–—−〜]\s*(\d{1,2})(?::?(\d{2}))?")
_OFF = frozenset({"休", "週休", "週休日", "off", "-", "ー"})
_SHIFTS = frozenset({"シフト", "交替", "勤務割", "shift", "shifts"})
_STANDARD = frozenset({"", "標準", "standard"})
_KINDS: dict[str, StaffKind] = {
    "": "full_time",
    "常勤": "full_time",
    "フルタイム": "full_time",
    "fulltime": "full_time",
    "パートタイム": "part_time",
    "パート": "part_time",
    "parttime": "part_time",
}
_OFFICES: dict[str, Office] = {
    "": "ordinary",
    "一般": "ordinary",
    "ordinary": "ordinary",
    "他律": "other_directed",
    "他律的": "other_directed",
    "他律的業務": "other_directed",
    "otherdirected": "other_directed",
}
_YES = {
    "": True,
    "する": True,
    "はい": True,
    "yes": True,
    "1": True,
    "しない": False,
    "いいえ": False,
    "no": False,
    "0": False,
}


class Wrong(NamedTuple):
    """A value that cannot be: what was found, and the word that says what was expected (`expect_…`)."""

    field: str
    found: str
    expected: str
    n: object = 0


class WrongValue(ValueError):
    """Raised by what reads a value."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


def _wrong(field: str, found: str, expected: str, n: object = 0) -> WrongValue:
    return WrongValue(Wrong(field, found[:60], expected, n))


def _plain(value: str) -> str:
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", value)).lower()


def text(field: str, value: str, *, needed: bool = True) -> str:
    """A number, name or label as it is kept. Raises WrongValue."""
    value = value.strip()
    if field != "staff_name" and not field.endswith("_name"):
        value = unicodedata.normalize("NFKC", value)
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        raise _wrong(field, value, "no_controls")
    if len(value) > _LENGTHS[field]:
        raise _wrong(field, value, "shorter", _LENGTHS[field])
    if needed and not value:
        raise _wrong(field, "", "something")
    return value


def a_day(field: str, value: str) -> date:
    """A day in any of the ways in which people write it. Raises WrongValue."""
    try:
        return date.fromisoformat(day.parse(value))
    except ValueError:
        raise _wrong(field, value, "day") from None


def yen(field: str, value: str) -> int | None:
    """Whole yen, with or without commas; None for nothing. Raises WrongValue."""
    plain = _plain(value).removesuffix("円").removeprefix("¥").replace(",", "")
    if not plain:
        return None
    if not re.fullmatch(r"\d{1,9}", plain) or int(plain) > _MOST_YEN:
        raise _wrong(field, value, "yen", f"{_MOST_YEN:,}")
    return int(plain)


def hours(field: str, value: str) -> Hours | None:
    """Hours from and to; None for a weekly day off. Raises WrongValue."""
    plain = unicodedata.normalize("NFKC", value).strip()
    if plain.lower() in _OFF or not plain:
        return None
    found = _HOURS.fullmatch(plain)
    if found is None:
        raise _wrong(field, value, "hours")
    begin, end = (int(found[n]) * 60 + int(found[n + 1] or 0) for n in (1, 3))
    if end <= begin:
        end += 1440
    minutes_are = all(int(found[n] or 0) < 60 for n in (2, 4))
    if not minutes_are or begin >= 1440 or end > 2880 or end - begin >= 1440:
        raise _wrong(field, value, "hours")
    return Hours(begin, end)


def hours_text(hours: Hours | None) -> str:
    """The same as people read it; empty for none."""
    if hours is None:
        return ""
    return f"{_clock(hours.begin)}-{_clock(hours.end)}"


def _clock(minute: int) -> str:
    return f"{minute // 60}:{minute % 60:02}"


def values_of(terms: Terms) -> dict[str, str]:
    """Terms as fields; what `read_terms` reads comes to the same terms."""
    week = terms.week
    alike = week is not None and len(set(week[:5])) == 1 and not any(week[5:])
    each = week if week is not None and not alike else (None,) * 7
    return {
        "staff_department": terms.department,
        "staff_kind": terms.kind,
        "staff_hours": "shift" if terms.shifts else "" if week is None or not alike else hours_text(week[0]) or "off",
        **{field: hours_text(one) for field, one in zip(WEEKDAYS, each, strict=True)},
        "staff_base": _yen_text(terms.monthly_base_yen),
        "staff_hourly": _yen_text(terms.hourly_yen),
        "staff_unit": _yen_text(terms.unit_yen),
        "staff_office": terms.office,
        "staff_tracked": "yes" if terms.tracked else "no",
    }


def _yen_text(amount: int | None) -> str:
    return "" if amount is None else str(amount)


def read_terms(values: Mapping[str, str], before: Terms) -> tuple[Terms, list[Wrong]]:
    """Terms as `before` but for the fields that are there, and what is wrong with those.

    Hours: those of `staff_hours` on Monday to Friday, else of each weekday that has some, else the town's own; shifts
    where it says so.
    """
    wrong: list[Wrong] = []
    changes: dict[str, object] = {}

    def take(field: str, name: str, read: Callable[[str, str], object]) -> None:
        if field in values:
            try:
                changes[name] = read(field, values[field])
            except WrongValue as error:
                wrong.append(error.wrong)

    take("staff_department", "department", lambda _field, value: value.strip())
    take("staff_kind", "kind", lambda field, value: _of(field, value, _KINDS, "staff_kind"))
    take("staff_base", "monthly_base_yen", yen)
    take("staff_hourly", "hourly_yen", yen)
    take("staff_unit", "unit_yen", yen)
    take("staff_office", "office", lambda field, value: _of(field, value, _OFFICES, "staff_office"))
    take("staff_tracked", "tracked", lambda field, value: _of(field, value, _YES, "yes_no"))
    if "staff_hours" in values or any(field in values for field in WEEKDAYS):
        changes |= _pattern({**{key: values_of(before)[key] for key in ("staff_hours", *WEEKDAYS)}, **values}, wrong)
    return msgspec.structs.replace(before, **changes), wrong


def _of(field: str, value: str, known: Mapping[str, object], expected: str) -> object:
    found = known.get(_plain(value), known.get(_plain(value).replace("-", "")))
    if found is None:
        raise _wrong(field, value, expected)
    return found


def _pattern(values: Mapping[str, str], wrong: list[Wrong]) -> dict[str, object]:
    """The working pattern that the fields say."""
    same = unicodedata.normalize("NFKC", values["staff_hours"]).strip()
    each: list[Hours | None] = []
    for field in WEEKDAYS:
        try:
            each.append(hours(field, values.get(field, "")))
        except WrongValue as error:
            wrong.append(error.wrong)
    if same.lower() in _SHIFTS:
        return {"shifts": True, "week": None}
    if same.lower() not in _STANDARD:
        try:
            found = hours("staff_hours", same)
        except WrongValue as error:
            wrong.append(error.wrong)
            return {}
        if any(each):
            wrong.append(Wrong("staff_hours", same[:60], "one_pattern"))
        return {"shifts": False, "week": (*(found,) * 5, None, None)}
    return {"shifts": False, "week": tuple(each) if any(each) else None}
