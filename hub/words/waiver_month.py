"""Words of the month, its closing, the year and the reports."""

WORDS: dict[str, tuple[str, str]] = {
    "wmonth_title": ("{month}の処理", "The month {month}"),
    "wmonth_none": ("この月に使われた回線がありません", "No line was in use in this month"),
    "wmonth_none_hint": (
        "回線・料金・利用者を登録すると、ここで月ごとに請求書の照合、調定、免除、締めを行えます。",
        "Once lines, tariffs and their users are registered, the month’s bill, assessment, waivers and closing are here.",
    ),
    "wreport_title": ("免除の報告", "Reports of waivers"),
    "wreport_none": ("報告できる月がまだありません", "No month to report yet"),
    "wreport_none_hint": (
        "月を締めると、減免額調、回線ごとの明細、年度の集計がここに出ます。",
        "Once a month is closed, what was waived by ground, by line and by fiscal year is here.",
    ),
    "did_waiver_close_ask": ("免除の月の締めを申し出た", "asked to close a month of waivers"),
    "did_waiver_close_refuse": ("免除の月の締めを差し戻した", "refused to close a month of waivers"),
    "did_waiver_close_withdraw": ("免除の月の締めの申し出を取り下げた", "took a request to close a month back"),
    "did_waiver_pay": ("請求書の支払いを記帳した", "entered that a bill was paid"),
    "did_voucher_export": ("財務会計の伝票ファイルを作った", "made a file of vouchers for the finance system"),
    "did_voucher_layout": ("伝票のレイアウトを変えた", "changed a layout of vouchers"),
    "did_voucher_layout_removed": ("伝票のレイアウトを削除した", "removed a layout of vouchers"),
    "did_waiver_report": ("免除の報告をファイルにした", "made a file of a report of waivers"),
}
