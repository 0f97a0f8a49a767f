"""What people write of benefits, field by field, as it is kept (rule).

A value that cannot be is told by its field, what was found, and the word for what was expected (`expect_…`).
"""

import re
import unicodedata
from collections.abc import Mapping

from hub import day
from hub.benefit.benefit import Kind
from hub.staff.form import Wrong, WrongValue

KIND = (
    "benefit_code",
    "benefit_name_ja",
    "benefit_name_en",
    "benefit_unit_ja",
    "benefit_unit_en",
    "benefit_unit_yen",
    "benefit_budget",
    "benefit_offline_units",
    "benefit_offline_days",
    "benefit_from",
    "benefit_to",
)
GRANT = ("grant_benefit", "grant_units", "grant_from", "grant_until", "grant_reason")
_CODE = re.compile("[a-z][a-z0-9-]{0,19}")
_TEXT_LENGTH = 60
_REASON_LENGTH = 200
_MOST_YEN = 1_000_000
_MOST_UNITS = 10_000
_MOST_OFFLINE_UNITS = 100
_MOST_OFFLINE_DAYS = 31


def wrong(field: str, found: str, expected: str, n: object = 0) -> WrongValue:
    """What is raised for a value that cannot be."""
    return WrongValue(Wrong(field, found[:60], expected, n))


def read_kind(form: Mapping[str, str]) -> Kind:
    """A kind of benefit. Raises WrongValue."""
    value = {field: form.get(field, "") for field in KIND}
    code = unicodedata.normalize("NFKC", value["benefit_code"]).strip()
    if not _CODE.fullmatch(code):
        raise wrong("benefit_code", code, "benefit_code")
    begin, end = _day("benefit_from", value), _day("benefit_to", value, needed=False)
    if end and end < begin:
        raise wrong("benefit_to", end, "not_before", begin)
    return Kind(
        code,
        _text("benefit_name_ja", value),
        _text("benefit_name_en", value),
        _text("benefit_unit_ja", value),
        _text("benefit_unit_en", value),
        _number("benefit_unit_yen", value, 0, _MOST_YEN),
        _text("benefit_budget", value, needed=False),
        _number("benefit_offline_units", value, 0, _MOST_OFFLINE_UNITS),
        _number("benefit_offline_days", value, 1, _MOST_OFFLINE_DAYS),
        begin,
        end,
    )


def values_of(kind: Kind) -> dict[str, str]:
    """A kind as fields; what `read_kind` reads comes to the same."""
    values = [getattr(kind, name) for name in kind.__struct_fields__]
    return {field: str(value) for field, value in zip(KIND, values, strict=True)}


def read_grant(form: Mapping[str, str], kinds: Mapping[str, Kind]) -> tuple[str, int, str, str, str]:
    """Benefit, units, first and last day, and reason of a grant. Raises WrongValue."""
    value = {field: form.get(field, "") for field in GRANT}
    kind = kinds.get(value["grant_benefit"])
    if kind is None:
        raise wrong("grant_benefit", value["grant_benefit"], "benefit_kind")
    units = _number("grant_units", value, 1, _MOST_UNITS)
    begin, end = _day("grant_from", value), _day("grant_until", value, needed=False)
    if end and end < begin:
        raise wrong("grant_until", end, "not_before", begin)
    return kind.code, units, begin, end, reason("grant_reason", value)


def reason(field: str, value: Mapping[str, str]) -> str:
    """Why something is done, which must be said. Raises WrongValue."""
    return _text(field, value, most=_REASON_LENGTH)


def _text(field: str, value: Mapping[str, str], *, needed: bool = True, most: int = _TEXT_LENGTH) -> str:
    text = value.get(field, "").strip()
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text):
        raise wrong(field, text, "no_controls")
    if len(text) > most:
        raise wrong(field, text, "shorter", most)
    if needed and not text:
        raise wrong(field, "", "something")
    return text


def _number(field: str, value: Mapping[str, str], least: int, most: int) -> int:
    text = unicodedata.normalize("NFKC", value[field]).strip().replace(",", "")
    if not re.fullmatch("[0-9]{1,9}", text) or not least <= int(text) <= most:
        raise wrong(field, value[field], "whole_between", f"{least:,}–{most:,}")
    return int(text)


def _day(field: str, value: Mapping[str, str], *, needed: bool = True) -> str:
    text = value[field].strip()
    if not text and not needed:
        return ""
    try:
        return day.parse(text)
    except ValueError:
        raise wrong(field, text, "day") from None
