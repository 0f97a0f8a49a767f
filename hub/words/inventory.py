"""Words of inventory and loans."""

WORDS: dict[str, tuple[str, str]] = {
    "unheard": ("未接続", "Not heard yet"),
    "place": ("場所", "Place"),
    "tag": ("タグ", "Tag"),
    "tags": ("タグ", "Tags"),
    "asset": ("備品番号", "Asset number"),
    "loan": ("貸与", "Loan"),
    "loan_lent": ("貸与中(期限切れも)", "lent (overdue too)"),
    "loan_overdue": ("期限切れ", "overdue"),
    "loan_store": ("貸していない", "not lent"),
    "loan_number": ("貸与番号", "Loan number"),
    "loan_until": ("返却期限", "Due back"),
    "loan_until_day": ("{day}まで", "until {day}"),
    "loan_overdue_since": ("期限切れ({day}まで)", "overdue since {day}"),
    "sort_place": ("場所順", "by place"),
    "sort_until": ("返却期限の早い順", "due back first"),
}
