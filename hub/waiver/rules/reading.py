"""A case of waiver in its own words to what the rules take (rule): one month, one tariff or several by name, lines.

A name that is not known is told, for it would change what is worked out; what only says who or what something is
(`phone`, `note` …) is let pass.
"""

from datetime import date
from typing import NamedTuple

from hub.case_fields import BadCase, Fields, day, month
from hub.waiver.rules.given import Grant, Line, OtherCharge
from hub.waiver.rules.profile import (
    MOST_BYTES,
    MOST_YEN,
    Tariff,
    WaiverRule,
    percent,
    read_rule,
    read_tariff,
    switch,
)

__all__ = ["BadCase", "Case", "read_case"]

_TOLD = frozenset({"name", "title", "note", "phone", "iccid", "resident", "loan"})
_CASE = frozenset({"month", "tariff", "tariffs", "rules", "lines", "title", "note"})
_LINE = _TOLD | {
    "id",
    "tariff",
    "invoice",
    "used_bytes",
    "from",
    "to",
    "list_price_yen",
    "billed_ex_tax",
    "other_charges",
    "waived_this_fiscal_year_yen",
    "waivers",
}
_CHARGE = frozenset({"name", "yen", "tax_percent", "tax_included", "note"})
_WAIVER = frozenset(
    {"rule", "applied", "decided", "accepted", "starts", "ended", "revoked_from", "ref", "number", "clause", "note"}
)
_MOST_LINES = 100_000


class Case(NamedTuple):
    """One case: what `assess` takes."""

    month: str
    tariffs: dict[str, Tariff]
    rules: dict[str, WaiverRule]
    lines: tuple[Line, ...]


def read_case(value: object) -> Case:
    """The case. Raises BadCase."""
    fields = Fields(value, "given", _CASE)
    of = month(fields.get("month"), "month")
    tariffs = _tariffs(fields)
    given_rules = Fields(fields.get("rules") or {}, "rules")
    rules = {name: read_rule(raw, given_rules.place(name)) for name, raw in given_rules.values.items()}
    if not isinstance(fields.get("lines"), list) or len(fields.items("lines")) > _MOST_LINES:
        raise BadCase("lines", f"a list of at most {_MOST_LINES} lines", fields.get("lines"))
    lines = tuple(_line(one, tariffs, rules) for one in fields.objects("lines", _LINE))
    seen: set[str] = set()
    for at, line in enumerate(lines):
        if line.id in seen:
            raise BadCase(f"lines[{at}].id", "another line's id", line.id)
        seen.add(line.id)
    return Case(of, tariffs, rules, lines)


def _tariffs(fields: Fields) -> dict[str, Tariff]:
    """The tariff under "", or several by name."""
    if fields.has("tariffs") and not fields.has("tariff"):
        inner = Fields(fields.get("tariffs"), "tariffs")
        return {name: read_tariff(raw, inner.place(name)) for name, raw in inner.values.items()}
    if fields.has("tariffs"):
        raise BadCase("given", "tariff or tariffs, not both")
    return {"": read_tariff(fields.get("tariff"))}


def _line(fields: Fields, tariffs: dict[str, Tariff], rules: dict[str, WaiverRule]) -> Line:
    name = fields.text("id")
    if not name:
        raise BadCase(fields.place("id"), "the line's id, a text", fields.get("id"))
    its_tariff = fields.text("tariff")
    if its_tariff not in tariffs:
        raise BadCase(fields.place("tariff"), " or ".join(map(repr, tariffs)) or "a tariff", its_tariff)
    first, last = _day(fields, "from"), _day(fields, "to")
    if first is not None and last is not None and last < first:
        raise BadCase(fields.place("to"), f"{first} or later: the last day of use", last.isoformat())
    return Line(
        id=name,
        tariff=its_tariff,
        invoice=fields.text("invoice"),
        used_bytes=fields.whole("used_bytes", MOST_BYTES) or 0,
        first=first,
        last=last,
        other_charges=tuple(_charge(one, tariffs[its_tariff]) for one in fields.objects("other_charges", _CHARGE)),
        list_price_yen=fields.whole("list_price_yen", MOST_YEN),
        billed_ex_tax=fields.whole("billed_ex_tax", MOST_YEN),
        waived_this_fiscal_year_yen=fields.whole("waived_this_fiscal_year_yen", MOST_YEN) or 0,
        grants=tuple(_grant(one, rules) for one in fields.objects("waivers", _WAIVER)),
    )


def _charge(fields: Fields, tariff: Tariff) -> OtherCharge:
    yen = fields.whole("yen", MOST_YEN)
    if yen is None:
        raise BadCase(fields.place("yen"), f"a whole number from 0 to {MOST_YEN}", None)
    return OtherCharge(
        name=fields.text("name") or "other",
        yen=yen,
        tax_percent=percent(fields, "tax_percent", tariff.tax_percent),
        tax_included=switch(fields, "tax_included") if fields.has("tax_included") else tariff.tax_included,
    )


def _grant(fields: Fields, rules: dict[str, WaiverRule]) -> Grant:
    rule = fields.text("rule")
    if rule not in rules:
        raise BadCase(fields.place("rule"), " or ".join(sorted(rules)) or "a rule that is told", fields.get("rule"))
    accepted = _day(fields, "accepted")
    if rules[rule].start == "acceptance_month" and accepted is None and not fields.has("starts"):
        raise BadCase(fields.place("accepted"), "the day of acceptance, with which the rule starts")
    return Grant(
        rule=rule,
        applied=fields.day("applied"),
        decided=_day(fields, "decided"),
        accepted=accepted,
        starts=_day(fields, "starts"),
        ended=_day(fields, "ended"),
        revoked_from=_day(fields, "revoked_from"),
        ref=fields.text("ref"),
    )


def _day(fields: Fields, name: str) -> date | None:
    return day(fields.get(name), fields.place(name)) if fields.has(name) else None
