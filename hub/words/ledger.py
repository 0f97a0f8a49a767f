"""Words of the ledger, receipts and statements."""

WORDS: dict[str, tuple[str, str]] = {
    "did_ledger_close": ("台帳の月を締めた", "closed a month of the ledger"),
    "did_ledger_reverse": ("台帳の仕訳を取り消した", "reversed entries of the ledger"),
    "did_receipt_enter": ("収納を入力した", "entered a receipt"),
    "did_receipt_import": ("収納を取り込んだ", "imported receipts"),
    "did_receipt_undo": ("収納を取り消した", "took a receipt back"),
    "did_reminder_print": ("督促状を印刷した", "printed reminders"),
}
