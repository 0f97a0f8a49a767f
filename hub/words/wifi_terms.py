"""Words of the terms of the Wi-Fi."""

WORDS: dict[str, tuple[str, str]] = {
    # the audit log
    "did_portal_certificate": ("ポータルの証明書を替えた", "changed the portal's certificate"),
    "did_terms_draft": ("利用規約の下書きを保存した", "saved a draft of the terms"),
    "did_terms_draft_dropped": ("利用規約の下書きを捨てた", "threw away a draft of the terms"),
    "did_terms_publish": ("利用規約を公開した", "published terms"),
}
