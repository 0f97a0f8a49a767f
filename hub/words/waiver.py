"""Words that all pages of tablets and waivers share."""

WORDS: dict[str, tuple[str, str]] = {
    "tablets": ("タブレットと免除", "Tablets and waivers"),
    "waiver_tab_month": ("月の処理", "Month"),
    "waiver_tab_tablets": ("タブレット", "Tablets"),
    "waiver_tab_content": ("お知らせ", "Content"),
    "waiver_tab_residents": ("住民", "Residents"),
    "waiver_tab_lines": ("回線", "Lines"),
    "waiver_tab_applications": ("申請", "Applications"),
    "waiver_tab_bills": ("請求書", "Bills"),
    "waiver_tab_receipts": ("収納", "Receipts"),
    "waiver_tab_ledger": ("台帳", "Ledger"),
    "waiver_tab_reports": ("報告", "Reports"),
    "waiver_tab_benefits": ("給付", "Benefits"),
    "waiver_tab_rules": ("料金と規則", "Tariffs and rules"),
}
