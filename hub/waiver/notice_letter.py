"""A notice of decision in words (rule): what the town says of itself, what was decided, and how to appeal.

1. The form of a notice is the town's; where it says nothing, the words here stand.
2. A notice tells how to appeal: 審査請求 within three months of the day after it was known (行政不服審査法18条1項,
   82条) and 取消訴訟 within six months (行政事件訴訟法14条1項, 46条).
3. `{town}` and `{head}` in the text of the town are put in by their values; nothing else is.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from hub import day
from hub.staff.form import Wrong
from hub.waiver.application import Application
from hub.waiver.register_form import shown_phone
from hub.waiver.rules.holding import Holds
from hub.waiver.rules.profile import WaiverRule

# Each field, and how long it may be.
FIELDS: dict[str, int] = {
    "letter_town": 40,
    "letter_head": 40,
    "letter_name": 40,
    "letter_office": 120,
    "letter_form": 60,
    "letter_ordinance": 120,
    "letter_appeal": 1000,
}
APPEAL = (
    "この決定に不服がある場合は、この決定があったことを知った日の翌日から起算して3か月以内に、{head}に対して審査請求をする"
    "ことができます。ただし、決定があった日の翌日から起算して1年を経過したときは、審査請求をすることができません。\n"
    "この決定の取消しの訴えは、この決定があったことを知った日の翌日から起算して6か月以内に、{town}を被告として"
    "(訴訟において{town}を代表する者は{head}となります。)提起することができます。審査請求をした場合は、その裁決が"
    "あったことを知った日の翌日から起算して6か月以内に提起することができます。ただし、決定又は裁決の日の翌日から起算して"
    "1年を経過したときは、取消しの訴えを提起することができません。"
)
DEFAULTS = {
    "letter_town": "○○町",
    "letter_head": "○○町長",
    "letter_name": "",
    "letter_office": "",
    "letter_form": "様式第2号(第7条関係)",
    "letter_ordinance": "○○町タブレット端末の貸与及び通信料の減免に関する要綱",
    "letter_appeal": APPEAL,
}
Kind = Literal["grant", "change", "end", "revoke", "renew", "refused"]
_TITLES: dict[Kind, str] = {
    "grant": "通信料減免決定通知書",
    "change": "通信料減免変更決定通知書",
    "end": "通信料減免終了決定通知書",
    "revoke": "通信料減免取消決定通知書",
    "renew": "通信料減免更新決定通知書",
    "refused": "通信料減免不承認決定通知書",
}
_SAYS: dict[Kind, str] = {
    "grant": "通信料の減免を次のとおり承認することに決定しましたので",
    "change": "通信料の減免を次のとおり変更することに決定しましたので",
    "end": "通信料の減免を次のとおり終了することに決定しましたので",
    "revoke": "通信料の減免を次のとおり取り消すことに決定しましたので",
    "renew": "通信料の減免を次のとおり更新することに決定しましたので",
    "refused": "通信料の減免を承認しないことに決定しましたので",
}
_DAY_OF: dict[str, str] = {"change": "変更日", "end": "理由がなくなった日", "revoke": "取消しの初日"}


class Amount(msgspec.Struct, frozen=True):
    """What a line's fee without overage comes to in a whole month, what of it is waived, and what is left."""

    phone: str
    fee_yen: int
    waived_yen: int
    resident_yen: int


class Notice(msgspec.Struct, frozen=True):
    """A letter: where it stands what."""

    form: str
    number: str
    day: str
    to: str
    town: str
    sender: str
    office: str
    title: str
    says: str
    rows: tuple[tuple[str, str], ...]
    appeal: tuple[str, ...]


def values_of(kept: Mapping[str, str]) -> dict[str, str]:
    """What the town says, and what stands where it says nothing."""
    return {field: kept.get(field, default) for field, default in DEFAULTS.items()}


def read(form: Mapping[str, str]) -> tuple[dict[str, str], list[Wrong]]:
    """The fields of the form, and what is wrong with them."""
    values = {field: form.get(field, "").strip().replace("\r\n", "\n") for field in FIELDS}
    wrong = [
        Wrong(field, value[:60], "shorter", FIELDS[field])
        for field, value in values.items()
        if len(value) > FIELDS[field]
    ]
    wrong += [Wrong(field, "", "something") for field in ("letter_town", "letter_head") if not values[field]]
    return values, wrong


def notice(
    town: Mapping[str, str],
    one: Application,
    to: str,
    rule_name: str,
    rule: WaiverRule | None,
    days: Holds | None,
    amounts: tuple[Amount, ...],
) -> Notice:
    """The letter that tells a decision. `to` is the addressee, `days` from when to when the waiver holds."""
    decision = one.decision
    assert decision is not None  # noqa: S101 (a letter tells a decision)
    says, kind = values_of(town), _kind(one)
    ordinance = says["letter_ordinance"]
    begin = f"{_day(one.applied_day)}付けで申請のありました" if kind != "revoke" else ""
    rows = [("申請番号", one.number), ("減免の理由", rule_name)]
    rows += _rows(one, kind, rule, days, amounts)
    if decision.clause:
        rows.append(("根拠", f"{ordinance} {decision.clause}".strip() if ordinance else decision.clause))
    if decision.reason:
        rows.append(("決定の理由" if kind != "refused" else "承認しない理由", decision.reason))
    return Notice(
        form=says["letter_form"],
        number=decision.number,
        day=_day(decision.day),
        to=to,
        town=says["letter_town"],
        sender=f"{says['letter_head']}　{says['letter_name']}".strip(),
        office=says["letter_office"],
        title=_TITLES[kind],
        says=f"{begin}{_SAYS[kind]}、通知します。",
        rows=tuple(rows),
        appeal=tuple(
            says["letter_appeal"]
            .replace("{town}", says["letter_town"])
            .replace("{head}", says["letter_head"])
            .split("\n")
        ),
    )


def _kind(one: Application) -> Kind:
    if one.decision is not None and one.decision.result == "refused":
        return "refused"
    return one.asks


def _rows(
    one: Application, kind: Kind, rule: WaiverRule | None, days: Holds | None, amounts: tuple[Amount, ...]
) -> list[tuple[str, str]]:
    if kind == "refused":
        return []
    rows = []
    if one.asks in _DAY_OF:
        rows.append((_DAY_OF[one.asks], _day(one.from_day)))
    if kind in ("grant", "change", "renew"):
        if rule is not None:
            rows.append(("減免の額", amount_text(rule)))
        rows += [(f"回線 {shown_phone(each.phone)}", _amount(each)) for each in amounts]
    rows.append(("減免の期間", period_text(days)))
    return rows


def _amount(one: Amount) -> str:
    parts = f"月額 {one.fee_yen:,}円のうち減免額 {one.waived_yen:,}円、ご負担額 {one.resident_yen:,}円"
    return f"{parts}(1か月すべて利用した場合。容量を超えた分などは含みません。)"


def amount_text(rule: WaiverRule) -> str:
    """How much a rule waives, in words."""
    of = {"base": "基本料等", "base_alone": "基本料", "all": "通信料"}[rule.covers]
    if rule.amount == "resident_flat":
        text = f"{of}のうちご負担額 月額{rule.flat_yen:,}円を超える額"
    elif rule.amount == "waived_flat":
        text = f"{of}のうち 月額{rule.flat_yen:,}円"
    elif rule.share == (1, 1):
        text = f"{of}の全額"
    else:
        text = f"{of}の{rule.share.denominator}分の{rule.share.numerator}"
    more = []
    if rule.cap_month_yen is not None:
        more.append(f"月{rule.cap_month_yen:,}円まで")
    if rule.cap_fiscal_year_yen is not None:
        more.append(f"年度{rule.cap_fiscal_year_yen:,}円まで")
    if rule.floor_yen:
        more.append(f"ご負担額は月{rule.floor_yen:,}円以上")
    return text + (f"({'、'.join(more)})" if more else "")


def period_text(days: Holds | None) -> str:
    """From when to when, in words."""
    if days is None:
        return "なし"
    first = _day(days.first.isoformat())
    return f"{first}から" + ("" if days.last.year == 9999 else f"{_day(days.last.isoformat())}まで")


def _day(iso: str) -> str:
    return day.in_era(iso) if iso else ""
