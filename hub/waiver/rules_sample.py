"""Tariffs and rules of a model town, for a hub that has none yet: something to begin with, never the town's own (rule).

The figures are invented.  The fees of every line are those that the report on lines names by month of use: universal
service 3 yen in 2025-07 to 2025-12 and 2 from 2026-01, telephone relay 1, broadband universal service 2 in 2026-03.
"""

from hub.waiver.rules.profile import LineFee, Share, Tariff, WaiverRule

_FEES = (
    LineFee(name="ユニバーサルサービス料", yen=3, first="2025-07", last="2025-12"),
    LineFee(name="ユニバーサルサービス料", yen=2, first="2026-01"),
    LineFee(name="電話リレーサービス料", yen=1),
    LineFee(name="ブロードバンドユニバーサルサービス料", yen=2, first="2026-03", last="2026-03"),
)
TARIFFS: dict[str, Tariff] = {
    "data-3gb": Tariff(
        title="データ通信 3GB(見本)",
        base_yen=1480,
        included_bytes=3 * 10**9,
        block_bytes=10**9,
        block_yen=500,
        line_fees=_FEES,
    ),
    "data-10gb": Tariff(
        title="データ通信 10GB、超過は低速(見本)",
        base_yen=1400,
        included_bytes=10 * 10**9,
        line_fees=_FEES,
    ),
}
# Code: name, clause, rule.
RULES: dict[str, tuple[str, str, WaiverRule]] = {
    "welfare": (
        "生活保護世帯(全額・見本)",
        "要綱第6条第1号",
        WaiverRule(recheck_month=7, ground="welfare"),
    ),
    "nontax": (
        "住民税非課税世帯(全額・見本)",
        "要綱第6条第2号",
        WaiverRule(recheck_month=7, renewal="fiscal_year", ground="nontax"),
    ),
    "age75": (
        "75歳以上のみの世帯(2分の1・見本)",
        "要綱第6条第3号",
        WaiverRule(share=Share(1, 2), recheck_month=7, ground="age75"),
    ),
    "flat1000": (
        "障害者世帯(利用者負担 月1,000円・見本)",
        "要綱第6条第4号",
        WaiverRule(amount="resident_flat", flat_yen=1000, max_months=12, recheck_month=7, ground="disability"),
    ),
}
