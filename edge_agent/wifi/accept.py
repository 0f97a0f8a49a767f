"""Rule: what a request says that it accepts: media types and languages (RFC 9110, 12.5.1 and 12.5.4).

1. A header is read as a list with weights; it is never compared as a text.
2. What cannot be read of it says nothing.
"""

import re
from typing import NamedTuple

from wire.messages import TermsLanguage

CAPPORT = "application/captive+json"
# One that is longer than this says nothing that we would have to know.
_PARTS = 40
_PART = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*"?)+')
_WEIGHT = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?=;|$)", re.IGNORECASE)


class Range(NamedTuple):
    """One entry of the list, lower case without its parameters, and its weight in thousandths."""

    name: str
    weight: int


def ranges(header: str) -> list[Range]:
    """The entries in the order in which they stand; an entry without a weight has 1000."""
    found = []
    for part in _PART.findall(header)[:_PARTS]:
        name = part.split(";", 1)[0].strip().lower()
        weight = _WEIGHT.search(part)
        if name:
            found.append(Range(name, min(1000, round(float(weight[1]) * 1000)) if weight else 1000))
    return found


def wants_capport(header: str | None) -> bool:
    """Whether the state of the network is asked for as JSON, not a page for people.

    It is when the type is named anywhere with a weight (RFC 8910, 2), and when anything will do and no page is named:
    a browser always names `text/html`.
    """
    if header is None or not header.strip():
        return True
    weights = {one.name: one.weight for one in ranges(header)}
    for name in (CAPPORT, "application/*"):
        if name in weights:
            return weights[name] > 0
    return weights.get("*/*", 0) > 0 and "text/html" not in weights and "application/xhtml+xml" not in weights


def language(header: str | None) -> TermsLanguage:
    """The language of the page: the first of ours in the reader's order. Japanese when nothing is asked for, English
    for a reader of another language."""
    asked = [one for one in ranges(header or "") if one.weight > 0 and one.name != "*"]
    for one in sorted(asked, key=lambda one: -one.weight):
        ours = _ours(one.name)
        if ours is not None:
            return ours
    return "en" if asked else "ja"


def _ours(tag: str) -> TermsLanguage | None:
    first, *rest = tag.split("-")
    if first == "zh":
        # A script that is named says more than the country (RFC 5646, 2.2.3).
        if "hans" in rest:
            return "zh-Hans"
        return "zh-Hant" if {"hant", "tw", "hk", "mo"} & set(rest) else "zh-Hans"
    if first in ("yue", "nan"):
        return "zh-Hant"
    plain: dict[str, TermsLanguage] = {"ja": "ja", "en": "en", "ko": "ko"}
    return plain.get(first)
