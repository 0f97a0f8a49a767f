"""Words of requests: what people ask for, the states, what is wrong with one, and the pages."""

WORDS: dict[str, tuple[str, str]] = {
    "did_request_enter": ("申請を入力した", "entered a request"),
    "did_request_approve": ("申請を承認した", "approved a request"),
    "did_request_refuse": ("申請を却下した", "refused a request"),
    "did_request_revoke": ("申請の承認を取り消した", "took an approval back"),
    "did_request_withdraw": ("申請を取り下げた", "withdrew a request"),
    "did_request_enter_again": ("申請の取り下げを元に戻した", "entered a withdrawn request again"),
}
