"""A tariff and a rule of waiver as a form of plain fields, and back (rule).

1. What the fields say is put into the plain JSON of `rules/profile.py` and read by it: there is one reader.
2. An amount of data is written with its unit, for a gigabyte is the contract's: GB is a thousand MB, GiB is 1,024 MiB.
3. A version that a closed month went by stays as it is; only its end, behind that month, may still be said.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from hub.staff.form import Wrong, WrongValue
from hub.waiver.register_form import a_month, plain, wrong, yen
from hub.waiver.rules.profile import MOST_BYTES, BadProfile, Tariff, WaiverRule, read_rule, read_tariff

FEES = 5
EXCLUDES = ("overage", "roaming", "content", "damage")
TAX_ROUNDINGS = ("floor", "ceil", "half_up")
PRORATA = ("total_then_floor", "daily_floor", "none")
AMOUNTS = ("full", "share", "resident_flat", "waived_flat")
COVERS = ("base", "base_alone", "all")
STARTS = (
    "application_month",
    "month_after_application",
    "month_after_decision",
    "acceptance_month",
    "by_day",
)
ENDS = ("end_of_month", "by_day")
TARIFF = (
    "tariff_code",
    "tariff_title",
    "tariff_from",
    "tariff_to",
    "tariff_base",
    "tariff_tax_included",
    "tariff_tax_percent",
    "tariff_tax_rounding",
    "tariff_included",
    "tariff_block",
    "tariff_block_yen",
    "tariff_prorata",
    *(f"fee_{part}_{n}" for n in range(1, FEES + 1) for part in ("name", "yen", "from", "to")),
)
RULE = (
    "rule_code",
    "rule_name",
    "rule_clause",
    "rule_from",
    "rule_to",
    "rule_amount",
    "rule_share",
    "rule_flat",
    "rule_of",
    "rule_covers",
    *(f"rule_without_{one}" for one in EXCLUDES),
    "rule_cap_month",
    "rule_cap_year",
    "rule_floor",
    "rule_start",
    "rule_end",
    "rule_max_months",
    "rule_renewal",
    "rule_rounding",
    "rule_recheck",
    "rule_ground",
)
_CODE = re.compile(r"[a-z0-9][a-z0-9_-]{0,29}")
_SHARE = re.compile(r"(\d{1,4})\s*/\s*(\d{1,4})")
_DATA = re.compile(r"(\d{1,19})(?:\.(\d{1,6}))?\s*(B|MB|GB|MIB|GIB)?", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "MB": 10**6, "GB": 10**9, "MIB": 2**20, "GIB": 2**30}


class _Reading:
    """Reads fields one by one and gathers what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.wrong: list[Wrong] = []

    def text(self, field: str) -> str:
        return self.values.get(field, "").strip()

    def take(self, field: str, read: Callable[[str, str], Any]) -> Any:
        try:
            return read(field, self.text(field))
        except WrongValue as error:
            self.wrong.append(error.wrong)
            return None

    def choice(self, field: str, choices: tuple[str, ...]) -> str:
        found = self.text(field) or choices[0]
        if found not in choices:
            self.wrong.append(Wrong(field, found[:60], "choice"))
        return found

    def months(self, stem: str) -> tuple[str, str]:
        first = self.take(f"{stem}_from", lambda field, value: a_month(field, value, needed=True)) or ""
        last = self.take(f"{stem}_to", a_month) or ""
        if last and last < first:
            self.wrong.append(Wrong(f"{stem}_to", last, "after_first"))
        return first, last


def _code(field: str, value: str) -> str:
    if not _CODE.fullmatch(plain(value)):
        raise wrong(field, value, "code")
    return plain(value)


def _needed(most: int) -> Callable[[str, str], str]:
    def read(field: str, value: str) -> str:
        if not value:
            raise wrong(field, "", "something")
        if len(value) > most:
            raise wrong(field, value, "shorter", most)
        return value

    return read


def _data(field: str, value: str) -> int | None:
    """Bytes of an amount with its unit; None for nothing. Raises WrongValue."""
    if not value:
        return None
    found = _DATA.fullmatch(plain(value).replace(",", ""))
    if found is None:
        raise wrong(field, value, "data")
    unit = _UNITS[(found[3] or "").upper()]
    rest = found[2] or ""
    amount = int(found[1] + rest) * unit
    scale = int("1" + "0" * len(rest))
    if amount % scale or amount // scale > MOST_BYTES:
        raise wrong(field, value, "data")
    return amount // scale


def data_text(amount: int | None) -> str:
    """Bytes as they are written, in the largest unit that they are a whole number of; empty for none."""
    if amount is None:
        return ""
    for unit in ("GB", "GiB", "MB", "MiB"):
        size = _UNITS[unit.upper()]
        if amount and amount % size == 0:
            return f"{amount // size} {unit}"
    return f"{amount} B"


def _whole(most: int) -> Callable[[str, str], int | None]:
    def read(field: str, value: str) -> int | None:
        if not value:
            return None
        found = plain(value)
        if not found.isdecimal() or not 0 < int(found) <= most:
            raise wrong(field, value, "whole", most)
        return int(found)

    return read


# ---- tariffs


def read_tariff_form(values: Mapping[str, str]) -> tuple[str, str, str, Tariff | None, list[Wrong]]:
    """Code, first and last month, the tariff (None when something is wrong), and what is wrong."""
    form = _Reading(values)
    code = form.take("tariff_code", _code) or ""
    first, last = form.months("tariff")
    body: dict[str, Any] = {
        "title": form.take("tariff_title", _needed(60)),
        "base_yen": form.take("tariff_base", lambda field, value: yen(field, value, needed=True)),
        "tax_included": form.choice("tariff_tax_included", ("no", "yes")) == "yes",
        "tax_percent": _percent(form),
        "tax_rounding": form.choice("tariff_tax_rounding", TAX_ROUNDINGS),
        "included_bytes": form.take("tariff_included", _data),
        "block_bytes": form.take("tariff_block", _data),
        "block_yen": form.take("tariff_block_yen", yen),
        "prorata": form.choice("tariff_prorata", PRORATA),
        "line_fees": _fees(form),
    }
    if body["block_bytes"] and body["included_bytes"] is None:
        form.wrong.append(Wrong("tariff_included", "", "data"))
    if form.wrong:
        return code, first, last, None, form.wrong
    try:
        return code, first, last, read_tariff(body), []
    except BadProfile as error:
        return code, first, last, None, [Wrong("tariff_base", str(error)[:60], "choice")]


def _percent(form: _Reading) -> int:
    found = plain(form.text("tariff_tax_percent")).removesuffix("%") or "10"
    if not found.isdecimal() or int(found) > 100:
        form.wrong.append(Wrong("tariff_tax_percent", found[:60], "percent"))
        return 10
    return int(found)


def _fees(form: _Reading) -> list[dict[str, Any]]:
    found = []
    for n in range(1, FEES + 1):
        name = form.text(f"fee_name_{n}")[:40]
        if not name:
            continue
        fee: dict[str, Any] = {"name": name}
        for part, read in (("yen", lambda f, v: yen(f, v, needed=True)), ("from", a_month), ("to", a_month)):
            try:
                fee[part] = read(f"fee_{part}", form.text(f"fee_{part}_{n}"))
            except WrongValue as error:
                form.wrong.append(error.wrong)
        if fee.get("to") and fee["to"] < (fee.get("from") or ""):
            form.wrong.append(Wrong("fee_to", fee["to"], "after_first"))
        found.append({key: value for key, value in fee.items() if value not in ("", None)})
    return found


def tariff_values(code: str, first: str, last: str, tariff: Tariff) -> dict[str, str]:
    """A version as the fields of the form."""
    found = {
        "tariff_code": code,
        "tariff_title": tariff.title,
        "tariff_from": first,
        "tariff_to": last,
        "tariff_base": str(tariff.base_yen),
        "tariff_tax_included": "yes" if tariff.tax_included else "no",
        "tariff_tax_percent": str(tariff.tax_percent),
        "tariff_tax_rounding": tariff.tax_rounding,
        "tariff_included": data_text(tariff.included_bytes),
        "tariff_block": data_text(tariff.block_bytes),
        "tariff_block_yen": str(tariff.block_yen) if tariff.block_bytes else "",
        "tariff_prorata": tariff.prorata,
    }
    for n, fee in enumerate(tariff.line_fees[:FEES], 1):
        found |= {f"fee_name_{n}": fee.name, f"fee_yen_{n}": str(fee.yen)}
        found |= {f"fee_from_{n}": fee.first, f"fee_to_{n}": fee.last}
    return dict.fromkeys(TARIFF, "") | found


# ---- rules of waiver


class RuleFields:
    """What a form of a rule says: code, months, name, clause, and the rule (None when something is wrong)."""

    def __init__(self, values: Mapping[str, str]) -> None:
        form = _Reading(values)
        self.code: str = form.take("rule_code", _code) or ""
        self.from_month, self.to_month = form.months("rule")
        self.name: str = form.take("rule_name", _needed(60)) or ""
        self.clause: str = form.take("rule_clause", _needed(80)) or ""
        body = _rule_body(form) | {"clause": self.clause}
        self.rule: WaiverRule | None = None
        self.wrong = form.wrong
        if not form.wrong:
            try:
                self.rule = read_rule({key: value for key, value in body.items() if value not in (None, "")})
            except BadProfile as error:
                self.wrong.append(Wrong("rule_amount", str(error)[:60], "choice"))


def _rule_body(form: _Reading) -> dict[str, Any]:
    amount = form.choice("rule_amount", AMOUNTS)
    body: dict[str, Any] = {
        "of": form.choice("rule_of", ("fee", "list_price")),
        "covers": form.choice("rule_covers", COVERS),
        "excludes": [one for one in EXCLUDES if form.text(f"rule_without_{one}") == "yes"],
        "cap_month_yen": form.take("rule_cap_month", yen),
        "cap_fiscal_year_yen": form.take("rule_cap_year", yen),
        "floor_yen": form.take("rule_floor", yen),
        "start": form.choice("rule_start", STARTS),
        "end": form.choice("rule_end", ENDS),
        "max_months": form.take("rule_max_months", _whole(600)),
        "renewal": form.choice("rule_renewal", ("none", "fiscal_year")),
        "rounding": form.choice("rule_rounding", TAX_ROUNDINGS),
        "recheck_month": form.take("rule_recheck", _whole(12)),
        "ground": form.take("rule_ground", lambda field, value: _code(field, value) if value else ""),
    }
    if amount == "full":
        body["amount"] = "full"
    elif amount == "share":
        body["amount"] = form.take("rule_share", _share)
    else:
        body[f"{amount}_yen"] = form.take("rule_flat", lambda field, value: yen(field, value, needed=True))
    return body


def _share(field: str, value: str) -> str:
    found = _SHARE.fullmatch(plain(value))
    if found is None or not 0 < int(found[1]) <= int(found[2]):
        raise wrong(field, value, "share")
    return f"{int(found[1])}/{int(found[2])}"


def rule_values(code: str, months: tuple[str, str], name: str, clause: str, rule: WaiverRule) -> dict[str, str]:
    """A version as the fields of the form."""
    amount = ("full" if rule.share == (1, 1) else "share") if rule.amount == "share" else rule.amount
    return {
        "rule_code": code,
        "rule_name": name,
        "rule_clause": clause,
        "rule_from": months[0],
        "rule_to": months[1],
        "rule_amount": amount,
        "rule_share": f"{rule.share.numerator}/{rule.share.denominator}" if amount == "share" else "",
        "rule_flat": str(rule.flat_yen) if amount in ("resident_flat", "waived_flat") else "",
        "rule_of": rule.of,
        "rule_covers": rule.covers,
        **{f"rule_without_{one}": "yes" if one in rule.excludes else "" for one in EXCLUDES},
        "rule_cap_month": _text(rule.cap_month_yen),
        "rule_cap_year": _text(rule.cap_fiscal_year_yen),
        "rule_floor": _text(rule.floor_yen or None),
        "rule_start": rule.start,
        "rule_end": rule.end,
        "rule_max_months": _text(rule.max_months),
        "rule_renewal": rule.renewal,
        "rule_rounding": rule.rounding,
        "rule_recheck": _text(rule.recheck_month),
        "rule_ground": rule.ground,
    }


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


# ---- versions


def version_against(
    stem: str, new: tuple[str, str, object], old: tuple[str, str, object] | None, closed: str
) -> Wrong | None:
    """What stands against keeping a version. Each is first month, last month and what it says; `old` is the one of
    the same first month; `closed` is the last closed month, empty for none."""
    first, last, says = new
    if not closed or first > closed:
        return None
    if (
        old is not None
        and old[2] == says
        and old[1] != last
        and (not last or last >= closed)
        and not _ended(old, closed)
    ):
        return None
    return Wrong(f"{stem}_from", first, "open_month")


def _ended(old: tuple[str, str, object], closed: str) -> bool:
    return bool(old[1]) and old[1] < closed
