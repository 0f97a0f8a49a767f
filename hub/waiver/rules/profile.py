"""A tariff and a rule of waiver as the town writes them down: dated values, never constants in the rules (rule).

Money is whole yen, data whole bytes (the size of a gigabyte is the contract's), rates are percents and fractions.
`read_tariff` and `read_rule` take the plain JSON of a case file or of a stored version; `tariff_body` and `rule_body`
write it back in one form, so that the same values always have the same bytes.
"""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from hub.case_fields import BadCase, Fields, month, whole

Rounding = Literal["floor", "ceil", "half_up"]
Prorata = Literal["total_then_floor", "daily_floor", "none"]
Start = Literal[
    "application_month",
    "month_after_application",
    "month_after_decision",
    "acceptance_month",
    "by_day",
]
End = Literal["end_of_month", "by_day"]
Covers = Literal["base", "base_alone", "all"]

MOST_YEN = 1_000_000_000
MOST_BYTES = 2**60
_DIGITS = 9
_Read = TypeVar("_Read")


class BadProfile(BadCase):
    """A tariff or a rule that cannot be read; one plain sentence with the place."""

    def __init__(self, sentence: str) -> None:
        """The sentence as it is."""
        ValueError.__init__(self, sentence)


class Share(NamedTuple):
    """A fraction of an amount, in lowest terms, from 0 to 1."""

    numerator: int
    denominator: int


class LineFee(msgspec.Struct, frozen=True, kw_only=True):
    """A fee of every line (ユニバーサルサービス料 …), for use in the months `first` to `last` (empty: open)."""

    name: str
    yen: int
    first: str = ""
    last: str = ""


class Tariff(msgspec.Struct, frozen=True, kw_only=True):
    """What a line costs in a month. With `tax_included` every amount is stated with the tax inside.

    `included_bytes` None: nothing is ever over. `block_bytes` None: what is over costs nothing (it is slowed down).
    `tax_rounding` is how the carrier rounds, once an invoice and rate.  Which days a tariff holds on is not its own
    matter: the register dates it by month of use.
    """

    base_yen: int
    tax_included: bool = False
    tax_percent: int = 10
    tax_rounding: Rounding = "floor"
    included_bytes: int | None = None
    block_bytes: int | None = None
    block_yen: int = 0
    line_fees: tuple[LineFee, ...] = ()
    prorata: Prorata = "total_then_floor"
    title: str = ""


class WaiverRule(msgspec.Struct, frozen=True, kw_only=True):
    """How much is waived, and from when to when (C.2). The ordinance decides; every figure here is the town's.

    `amount`: `share` waives `share` of the fee (or of the list price, never more than the fee); `resident_flat` leaves
    the resident `flat_yen` a month; `waived_flat` waives `flat_yen` a month.
    `covers`: base (base and line fees with their tax), base_alone, or all; `excludes` are charges by name (`overage`,
    `roaming` …) that are the resident's all the same.
    `cap_month_yen`, `cap_fiscal_year_yen`: never more in a month, in a fiscal year; `floor_yen`: the resident never
    pays less of what is covered.  `max_months`: so many from the beginning on, then apply anew; with `renewal`
    fiscal_year it ends on 31 March at the latest.  `rounding` is of the resident's share.
    `recheck_month`: in which month eligibility is looked at again (no figure depends on it).
    `clause` is the ordinance's, `ground` the account that it is booked to; empty: the rule's own name.
    """

    amount: Literal["share", "resident_flat", "waived_flat"] = "share"
    share: Share = Share(1, 1)
    flat_yen: int = 0
    of: Literal["fee", "list_price"] = "fee"
    covers: Covers = "base"
    excludes: tuple[str, ...] = ()
    cap_month_yen: int | None = None
    cap_fiscal_year_yen: int | None = None
    floor_yen: int = 0
    start: Start = "application_month"
    end: End = "end_of_month"
    max_months: int | None = None
    renewal: Literal["none", "fiscal_year"] = "none"
    rounding: Rounding = "floor"
    recheck_month: int | None = None
    clause: str = ""
    ground: str = ""
    title: str = ""


_TARIFF = frozenset(
    {
        "base_yen",
        "tax_included",
        "tax_percent",
        "tax_rounding",
        "included_bytes",
        "block_bytes",
        "block_yen",
        "line_fees",
        "prorata",
        "title",
        # What changes no figure is let pass.
        "name",
        "carrier",
        "note",
    }
)
_LINE_FEE = frozenset({"name", "yen", "from", "to", "note"})
_RULE = frozenset(
    {
        "amount",
        "resident_flat_yen",
        "waived_flat_yen",
        "of",
        "covers",
        "excludes",
        "cap_month_yen",
        "cap_fiscal_year_yen",
        "floor_yen",
        "start",
        "end",
        "max_months",
        "renewal",
        "rounding",
        "recheck_month",
        "clause",
        "ground",
        "title",
        "name",
        "note",
    }
)
# The ordinances' words for the same beginning or end.
_STARTS: dict[str, Start] = {
    "application_month": "application_month",
    "month_of_application": "application_month",
    "month_after_application": "month_after_application",
    "next_month_after_application": "month_after_application",
    "month_after_decision": "month_after_decision",
    "next_month_after_decision": "month_after_decision",
    "acceptance_month": "acceptance_month",
    "by_day": "by_day",
}
_ENDS: dict[str, End] = {
    "end_of_month": "end_of_month",
    "end_of_month_of_cause": "end_of_month",
    "by_day": "by_day",
}


def read_tariff(raw: object, where: str = "tariff") -> Tariff:
    """The tariff that plain JSON tells. Raises BadProfile."""
    return _reading(lambda: _tariff(Fields(raw, where, _TARIFF)))


def read_rule(raw: object, where: str = "rule") -> WaiverRule:
    """The rule of waiver that plain JSON tells. Raises BadProfile."""
    return _reading(lambda: _rule(Fields(raw, where, _RULE)))


def tariff_body(tariff: Tariff) -> dict[str, Any]:
    """The tariff as plain JSON that `read_tariff` reads back as the same."""
    body: dict[str, Any] = {
        name: getattr(tariff, name) for name in tariff.__struct_fields__ if name not in ("line_fees", "title")
    }
    body["line_fees"] = [
        {"name": one.name, "yen": one.yen}
        | ({"from": one.first} if one.first else {})
        | ({"to": one.last} if one.last else {})
        for one in tariff.line_fees
    ]
    return body | ({"title": tariff.title} if tariff.title else {})


def rule_body(rule: WaiverRule) -> dict[str, Any]:
    """The rule as plain JSON that `read_rule` reads back as the same."""
    plain = WaiverRule()
    body: dict[str, Any] = {
        name: getattr(rule, name)
        for name in rule.__struct_fields__
        if name not in ("amount", "share", "flat_yen", "excludes") and getattr(rule, name) != getattr(plain, name)
    }
    if rule.excludes:
        body["excludes"] = list(rule.excludes)
    if rule.amount == "share":
        return body | {"amount": "full" if rule.share == (1, 1) else f"{rule.share[0]}/{rule.share[1]}"}
    return body | {f"{rule.amount}_yen": rule.flat_yen}


def switch(fields: Fields, name: str) -> bool:
    """True or false; false without it. Raises BadCase."""
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadCase(fields.place(name), "true or false", value)
    return bool(value)


def percent(fields: Fields, name: str, default: int) -> int:
    """A whole percent from 0 to 100; `default` without it. Raises BadCase."""
    found = fields.whole(name, 100)
    return default if found is None else found


def _reading(read: Callable[[], _Read]) -> _Read:
    try:
        return read()
    except BadCase as error:
        raise BadProfile(str(error)) from None


def _tariff(fields: Fields) -> Tariff:
    rounding: Rounding = fields.choice("tax_rounding", "floor", "ceil", "half_up")  # type: ignore[assignment]
    prorata: Prorata = fields.choice("prorata", "total_then_floor", "daily_floor", "none")  # type: ignore[assignment]
    block_bytes = fields.whole("block_bytes", MOST_BYTES) or None
    if block_bytes and "included_bytes" not in fields.values:
        raise BadCase(fields.place("included_bytes"), "how many bytes are inside, or null: blocks beyond them cost")
    return Tariff(
        base_yen=_needed(fields, "base_yen"),
        tax_included=switch(fields, "tax_included"),
        tax_percent=percent(fields, "tax_percent", 10),
        tax_rounding=rounding,
        included_bytes=fields.whole("included_bytes", MOST_BYTES),
        block_bytes=block_bytes,
        block_yen=fields.whole("block_yen", MOST_YEN) or 0,
        line_fees=tuple(_line_fee(one) for one in fields.objects("line_fees", _LINE_FEE)),
        prorata=prorata,
        title=fields.text("title"),
    )


def _line_fee(fields: Fields) -> LineFee:
    ends = [month(fields.get(name), fields.place(name)) if fields.has(name) else "" for name in ("from", "to")]
    if all(ends) and ends[1] < ends[0]:
        raise BadCase(fields.place("to"), f"{ends[0]} or later", ends[1])
    return LineFee(name=fields.text("name"), yen=_needed(fields, "yen"), first=ends[0], last=ends[1])


def _rule(fields: Fields) -> WaiverRule:
    amount, share, flat_yen = _amount(fields)
    of: Literal["fee", "list_price"] = fields.choice("of", "fee", "list_price")  # type: ignore[assignment]
    covers: Covers = fields.choice("covers", "base", "base_alone", "all")  # type: ignore[assignment]
    renewal: Literal["none", "fiscal_year"] = fields.choice("renewal", "none", "fiscal_year")  # type: ignore[assignment]
    rounding: Rounding = fields.choice("rounding", "floor", "ceil", "half_up")  # type: ignore[assignment]
    return WaiverRule(
        amount=amount,
        share=share,
        flat_yen=flat_yen,
        of=of,
        covers=covers,
        excludes=_names(fields, "excludes"),
        cap_month_yen=fields.whole("cap_month_yen", MOST_YEN),
        cap_fiscal_year_yen=fields.whole("cap_fiscal_year_yen", MOST_YEN),
        floor_yen=fields.whole("floor_yen", MOST_YEN) or 0,
        start=_STARTS[fields.choice("start", *_STARTS)],
        end=_ENDS[fields.choice("end", *_ENDS)],
        max_months=_from_one(fields, "max_months", 1200),
        renewal=renewal,
        rounding=rounding,
        recheck_month=_from_one(fields, "recheck_month", 12),
        clause=fields.text("clause"),
        ground=fields.text("ground"),
        title=fields.text("title"),
    )


def _amount(fields: Fields) -> tuple[Literal["share", "resident_flat", "waived_flat"], Share, int]:
    told = [name for name in ("amount", "resident_flat_yen", "waived_flat_yen") if fields.has(name)]
    if len(told) != 1:
        raise BadCase(fields.where, "one of amount, resident_flat_yen and waived_flat_yen", ", ".join(told) or None)
    if told == ["amount"]:
        return "share", _share(fields.get("amount"), fields.place("amount")), 0
    flat_yen = whole(fields.get(told[0]), fields.place(told[0]), MOST_YEN)
    return ("resident_flat" if told == ["resident_flat_yen"] else "waived_flat"), Share(1, 1), flat_yen


def _share(value: object, where: str) -> Share:
    text = value.strip() if isinstance(value, str) else value
    if text == "full":
        return Share(1, 1)
    found: Fraction | None = None
    if isinstance(text, str) and len(text) <= 2 * _DIGITS + 1 and text.isascii():
        above, slash, below = text.partition("/")
        if above.isdigit() and (below.isdigit() if slash else above in ("0", "1")) and (not slash or int(below)):
            found = Fraction(int(above), int(below) if slash else 1)
    elif isinstance(text, Decimal | int) and not isinstance(text, bool) and 0 <= text <= 1:
        # A decimal of a case has as many digits as it has; a few are a share, more are a slip.
        found = Fraction(text) if len(str(text)) <= _DIGITS else None
    if found is None or found > 1:
        raise BadCase(where, "full or a fraction from 0 to 1 such as 1/2", value)
    return Share(found.numerator, found.denominator)


def _names(fields: Fields, name: str) -> tuple[str, ...]:
    found = fields.items(name)
    for at, one in enumerate(found):
        if not isinstance(one, str) or not one:
            raise BadCase(f"{fields.place(name)}[{at}]", "a charge's name such as overage", one)
    return tuple(sorted({str(one) for one in found}))


def _needed(fields: Fields, name: str) -> int:
    return whole(fields.get(name), fields.place(name), MOST_YEN)


def _from_one(fields: Fields, name: str, most: int) -> int | None:
    found = fields.whole(name, most)
    if found == 0:
        raise BadCase(fields.place(name), f"a whole number from 1 to {most}", found)
    return found
