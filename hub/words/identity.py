"""Words of enrolment and certificates."""

WORDS: dict[str, tuple[str, str]] = {
    "did_enrol_code": ("登録コードを発行", "made an enrolment code"),
    "did_enrol_code_back": ("登録コードを取り消し", "took an enrolment code back"),
    "did_enrol": ("端末を登録", "enrolled a device"),
    "did_expect_device": ("製造番号を登録予定に追加", "put a serial number on the list"),
    "did_forget_device": ("製造番号を登録予定から削除", "took a serial number off the list"),
    "did_approve_enrolment": ("登録を承認", "approved an enrolment"),
    "did_refuse_enrolment": ("登録を却下", "refused an enrolment"),
    "did_renew": ("証明書を更新", "renewed a certificate"),
    "did_revoke": ("証明書を失効", "withdrew a certificate"),
}
