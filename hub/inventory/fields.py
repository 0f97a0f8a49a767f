"""What people know of a thing, field by field: what it is called, what it may be, and how it is kept (rule).

1. Every value is text; an empty one says that nobody knows.
2. A value is kept in one form only, so that two of the same meaning are equal: days as YYYY-MM-DD, tags in order.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple

from hub import day

KINDS = ("terminal", "tablet", "access_point")
# How long each may be.
_LENGTHS = {"asset": 40, "serial": 80, "model": 80, "place": 60, "note": 500, "loan_number": 40, "loan_name": 60}
_DAYS = ("bought", "loan_since", "loan_until")
_TAG_LENGTH, _TAGS = 30, 20
_KIND_WORDS = {
    "打刻機": "terminal",
    "タブレット": "tablet",
    "アクセスポイント": "access_point",
    "accesspoint": "access_point",
    "種類不明": "",
    "unknownkind": "",
} | {kind.replace("_", ""): kind for kind in KINDS}
# What a person enters of a thing, in the order of forms and files.
EDITABLE = ("asset", "serial", "kind", "model", "place", "tags", "note", "bought")
LOAN = ("loan_number", "loan_name", "loan_since", "loan_until")


class Wrong(NamedTuple):
    """A value that cannot be: what was found, and the word that says what was expected (`expect_…`)."""

    field: str
    found: str
    expected: str
    n: int = 0


class WrongValue(ValueError):
    """Raised by `clean`."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


def clean(field: str, text: str) -> str:
    """A value as it is kept. Raises WrongValue."""
    text = text.strip()
    if not text:
        return ""
    if any(unicodedata.category(sign) in ("Cc", "Cs") and not (field == "note" and sign == "\n") for sign in text):
        raise WrongValue(Wrong(field, text[:60], "no_controls"))
    if field in _DAYS:
        return _day(field, text)
    if field == "kind":
        return _kind(text)
    if field == "tags":
        return _tags(text)
    if len(text) > _LENGTHS[field]:
        raise WrongValue(Wrong(field, text[:60], "shorter", _LENGTHS[field]))
    return text


def clean_all(form: Mapping[str, str], wanted: tuple[str, ...]) -> tuple[dict[str, str], list[Wrong]]:
    """The values of a form as they are kept, and what is wrong with the others."""
    values, wrong = {}, []
    for field in wanted:
        try:
            values[field] = clean(field, form.get(field, "").replace("\r\n", "\n"))
        except WrongValue as error:
            wrong.append(error.wrong)
    return values, wrong


def _day(field: str, text: str) -> str:
    try:
        return day.parse(text)
    except ValueError:
        raise WrongValue(Wrong(field, text[:60], "day")) from None


def _kind(text: str) -> str:
    known = _KIND_WORDS.get(re.sub(r"[\s_-]", "", unicodedata.normalize("NFKC", text)).lower())
    if known is None:
        raise WrongValue(Wrong("kind", text[:60], "kind"))
    return known


def _tags(text: str) -> str:
    tags = sorted({tag for tag in re.split(r"[\s,、，;；]+", text) if tag})
    if len(tags) > _TAGS or any(len(tag) > _TAG_LENGTH for tag in tags):
        raise WrongValue(Wrong("tags", text[:60], "tags", _TAGS))
    return " ".join(tags)
