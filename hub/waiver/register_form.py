"""What people write of residents, lines, uses and applications, field by field, as it is kept (rule).

1. Numbers are text: letters and figures in full width become narrow, so that two of the same look are equal.
2. A phone number is its figures alone (090-1234-5678 and 09012345678 are one), a SIM's number too.
3. A value that cannot be is told by its field, what was found, and the word for what was expected (`expect_…`).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping

from hub import day
from hub.staff.form import Wrong, WrongValue

RESIDENT = ("resident_number", "resident_name", "resident_district", "resident_note", "resident_from", "resident_to")
LINE = ("line_phone", "line_iccid", "line_carrier", "line_budget", "line_from", "line_to", "line_note")
LINE_TARIFF = ("line_tariff", "line_tariff_from", "line_list_price")
_LENGTHS = {
    "resident_number": 20,
    "resident_name": 60,
    "resident_district": 40,
    "resident_note": 200,
    "line_carrier": 40,
    "line_budget": 60,
    "line_note": 200,
    "application_number": 40,
    "application_reason": 400,
    "decision_number": 40,
    "decision_clause": 80,
    "decision_reason": 400,
    "check_note": 200,
}
_PHONE = re.compile(r"0\d{9,13}")
_ICCID = re.compile(r"\d{18,22}[0-9A-F]?")
_MONTH = re.compile(r"(20\d\d)[-/.年](\d{1,2})月?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})")
_MOST_YEN = 1_000_000


def wrong(field: str, found: str, expected: str, n: object = 0) -> WrongValue:
    """What is raised for a value that cannot be."""
    return WrongValue(Wrong(field, found[:60], expected, n))


def plain(value: str) -> str:
    """Narrow letters and figures, no space around."""
    return unicodedata.normalize("NFKC", value).strip()


def text(field: str, value: str, *, needed: bool = False) -> str:
    """A text as it is kept; numbers become narrow. Raises WrongValue."""
    value = plain(value) if field.endswith(("_number", "_budget", "_clause")) else value.strip()
    if any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\r\n" for sign in value):
        raise wrong(field, value, "no_controls")
    if len(value) > _LENGTHS[field]:
        raise wrong(field, value, "shorter", _LENGTHS[field])
    if needed and not value:
        raise wrong(field, "", "something")
    return value


def phone(field: str, value: str) -> str:
    """A phone number as its figures. Raises WrongValue."""
    found = re.sub(r"[-‐‑–—−ー()\s]", "", plain(value))
    if not _PHONE.fullmatch(found):
        raise wrong(field, value, "phone")
    return found


def iccid(field: str, value: str) -> str:
    """The number of a SIM, empty for none. Raises WrongValue."""
    found = re.sub(r"[-\s]", "", plain(value)).upper()
    if found and not _ICCID.fullmatch(found):
        raise wrong(field, value, "iccid")
    return found


def a_day(field: str, value: str, *, needed: bool = False) -> str:
    """A day in any of the ways in which people write it, as YYYY-MM-DD; empty for none. Raises WrongValue."""
    if not value.strip():
        if needed:
            raise wrong(field, "", "day")
        return ""
    try:
        found = day.parse(value)
    except ValueError:
        raise wrong(field, value, "day") from None
    if not "1900" < found < "2100":
        raise wrong(field, value, "day")
    return found


def a_month(field: str, value: str, *, needed: bool = False) -> str:
    """A month as YYYY-MM; empty for none. Raises WrongValue."""
    value = plain(value)
    if not value and not needed:
        return ""
    found = _MONTH.fullmatch(value)
    if found is None or not 1 <= int(found[2]) <= 12:
        raise wrong(field, value, "month")
    return f"{found[1]}-{int(found[2]):02}"


def yen(field: str, value: str, *, needed: bool = False) -> int | None:
    """Whole yen, with or without commas; None for nothing. Raises WrongValue."""
    found = plain(value).removesuffix("円").removeprefix("¥").removeprefix("\\").replace(",", "")
    if not found and not needed:
        return None
    if not re.fullmatch(r"\d{1,9}", found) or int(found) > _MOST_YEN:
        raise wrong(field, value, "yen", f"{_MOST_YEN:,}")
    return int(found)


def minute(field: str, value: str) -> int | None:
    """Minutes since midnight; None for nothing. Raises WrongValue."""
    if not plain(value):
        return None
    found = _TIME.fullmatch(plain(value))
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise wrong(field, value, "time_of_day")
    return int(found[1]) * 60 + int(found[2])


_READ: dict[str, Callable[[str, str], str]] = {
    "resident_number": lambda field, value: text(field, value, needed=True),
    "resident_from": a_day,
    "resident_to": a_day,
    "line_phone": phone,
    "line_iccid": iccid,
    "line_from": lambda field, value: a_day(field, value, needed=True),
    "line_to": a_day,
    "line_carrier": lambda field, value: text(field, value, needed=True),
}


def read(values: Mapping[str, str], fields: tuple[str, ...]) -> tuple[dict[str, str], list[Wrong]]:
    """The fields of a resident or a line that are there, as they are kept, and what is wrong with them."""
    found, problems = dict[str, str](), list[Wrong]()
    for field in fields:
        if field in values:
            try:
                found[field] = _READ.get(field, text)(field, values[field])
            except WrongValue as error:
                problems.append(error.wrong)
    for first, last in (("resident_from", "resident_to"), ("line_from", "line_to")):
        if found.get(last) and found.get(first, "") > found[last]:
            problems.append(Wrong(last, found[last], "after_first"))
    return found, problems


def shown_phone(number: str) -> str:
    """A phone number with its lines: 090-1234-5678."""
    if len(number) == 11:
        return f"{number[:3]}-{number[3:7]}-{number[7:]}"
    if len(number) == 14:
        return f"{number[:4]}-{number[4:9]}-{number[9:]}"
    return number
