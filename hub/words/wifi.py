"""Words of access points and their use."""

WORDS: dict[str, tuple[str, str]] = {
    "wifi": ("Wi-Fi", "Wi-Fi"),
    "wifi_tab_points": ("アクセスポイント", "Access points"),
    "wifi_tab_usage": ("利用状況", "Usage"),
    "wifi_tab_terms": ("利用規約", "Terms"),
    "wifi_tab_vouchers": ("利用券", "Vouchers"),
    "wifi_tab_disaster": ("災害用", "Disaster"),
    "wifi_tab_retention": ("保存と削除", "Retention"),
    "wifi_tab_inquiries": ("照会", "Inquiries"),
    "wifi_tab_radius": ("他社の機器", "Other makers'"),
}
