"""Each step to a figure in a sentence of Japanese or English (rule): what was done, with its numbers and its clause."""

from typing import Literal, NamedTuple

from hub.waiver.rules.result import Step

Language = Literal["ja", "en"]


class _Says(NamedTuple):
    ja: str
    en: str


def _waived(ja: str, en: str) -> _Says:
    return _Says(
        f"{{name}}: {ja}、{{of_days}}日のうち{{days}}日({{first}}～{{last}}): {{exact}}円。"
        "利用者負担の1円未満を{rounding}、減免 {yen}円",
        f"{{name}}: {en}, {{days}} of {{of_days}} days ({{first}} to {{last}}): {{exact}} yen;"
        " the resident's share is {rounding}, so {yen} yen are waived.",
    )


_ROUNDINGS = {
    "floor": _Says("切り捨て", "rounded down"),
    "ceil": _Says("切り上げ", "rounded up"),
    "half_up": _Says("四捨五入し", "rounded to the nearest yen"),
}
# Every `Step.rule` is a key here.
SAYS: dict[str, _Says] = {
    "base_whole": _Says("基本料 {yen}円(月額のとおり)", "Base: {yen} yen, the whole month."),
    "base_by_days": _Says(
        "基本料 {base_yen}円×{days}日÷{month_days}日={yen}円(1円未満切捨て)",
        "Base: {base_yen} yen × {days} / {month_days} days = {yen} yen, floored.",
    ),
    "base_by_daily_rate": _Says(
        "基本料 {base_yen}円÷{month_days}日(1円未満切捨て)×{days}日={yen}円",
        "Base: {base_yen} yen / {month_days} days, floored, × {days} days = {yen} yen.",
    ),
    "base_not_prorated": _Says(
        "基本料 {yen}円({days}日の利用でも日割りはしません)",
        "Base: {yen} yen; {days} days of use cost the whole month.",
    ),
    "base_shared": _Says(
        "基本料 {yen}円(この月にこの回線を使った全員の {together_days}日分 {whole_yen}円のうち {days}日分)",
        "Base: {yen} yen, for {days} of the {together_days} days on which somebody had the line;"
        " together {whole_yen} yen.",
    ),
    "line_fee": _Says("{name} {yen}円(利用月の額)", "{name}: {yen} yen, as dated for the month of use."),
    "no_limit": _Says("使用量 {used_bytes}バイト(上限なし)", "Use: {used_bytes} bytes; the tariff has no limit."),
    "within_allowance": _Says(
        "使用量 {used_bytes}バイト(容量 {included_bytes}バイトの内)",
        "Use: {used_bytes} bytes, within the {included_bytes} included.",
    ),
    "slowed_down": _Says(
        "使用量 {used_bytes}バイト(容量 {included_bytes}バイトを超え、低速。追加料金なし)",
        "Use: {used_bytes} bytes, beyond the {included_bytes} included: slowed down, at no charge.",
    ),
    "started_blocks": _Says(
        "使用量 {used_bytes}バイト: 容量 {included_bytes}バイトを超えた分は {block_bytes}バイトごと(端数は1)に"
        " {blocks}×{block_yen}円={yen}円",
        "Use: {used_bytes} bytes: beyond the {included_bytes} included {blocks} started blocks of {block_bytes} bytes"
        " × {block_yen} yen = {yen} yen.",
    ),
    "other_charge": _Says("{name} {yen}円", "{name}: {yen} yen."),
    "no_day_of_use": _Says("この月に利用した日はありません", "No day of use in this month."),
    "tax_share": _Says(
        "消費税{percent}%: 請求書の税額 {invoice_tax_yen}円(税率ごとに1回だけ端数処理)のうち、この回線 {yen}円",
        "Tax at {percent} %: {yen} yen of the invoice's {invoice_tax_yen}, which is rounded once an invoice and rate.",
    ),
    "billed": _Says(
        "請求額 {billed}円(税抜)、料金表では {expected}円: 差 {yen}円",
        "Billed {billed} yen before tax, {expected} by the tariff: a difference of {yen}.",
    ),
    "undecided": _Says("{name}: 決定がまだありません", "{name}: not decided, so it holds on no day."),
    "never_holds": _Says("{name}: 期間がありません", "{name}: it ends before it begins."),
    "other_days": _Says(
        "{name}: この月の利用日にはかかりません({first}～{last})",
        "{name}: on none of the month's days of use ({first} to {last}).",
    ),
    "outranked": _Says(
        "{name}: ほかの事由の減免額のほうが大きいため適用しません(重複なし)",
        "{name}: another ground waives more; grounds are never added up.",
    ),
    "waived_share": _waived(
        "対象 {covered}円の{numerator}/{denominator}", "{numerator}/{denominator} of {covered} yen"
    ),
    "waived_share_of_list_price": _waived(
        "定価 {of_yen}円の{numerator}/{denominator}(対象 {covered}円まで)",
        "{numerator}/{denominator} of the list price of {of_yen} yen, at most {covered}",
    ),
    "waived_resident_flat": _waived(
        "対象 {covered}円のうち利用者負担を月{flat_yen}円とする額",
        "of {covered} yen all but the {flat_yen} a month that the resident pays",
    ),
    "waived_flat": _waived("対象 {covered}円のうち月{flat_yen}円", "{flat_yen} yen a month of {covered}"),
    "cap_month": _Says("{name}: 月の上限 {yen}円まで", "{name}: at most {yen} yen a month."),
    "cap_fiscal_year": _Says(
        "{name}: 年度の上限の残り {yen}円まで", "{name}: at most the {yen} yen left of the year's cap."
    ),
    "floor": _Says(
        "{name}: 利用者の最低負担があるため {yen}円まで", "{name}: at most {yen} yen, so that the least share stays."
    ),
    "resident": _Says(
        "料金 {total}円－減免 {waived}円=利用者負担 {yen}円",
        "The resident pays {total} − {waived} = {yen} yen.",
    ),
}


def sentence(step: Step, language: Language) -> str:
    """The step as a sentence, with the clause behind it where there is one."""
    says = SAYS[step.rule]
    numbers: dict[str, str] = {name: _told(value) for name, value in step.numbers.items()}
    if "rounding" in numbers:
        numbers["rounding"] = getattr(_ROUNDINGS[numbers["rounding"]], language)
    text = (says.ja if language == "ja" else says.en).format_map(numbers | {"yen": _told(step.yen)})
    if not step.clause:
        return text
    return f"{text} 〔{step.clause}〕" if language == "ja" else f"{text} [{step.clause}]"


def _told(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
