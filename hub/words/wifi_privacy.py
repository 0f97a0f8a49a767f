"""Words of retention and inquiries."""

WORDS: dict[str, tuple[str, str]] = {
    "did_wifi_purge": ("Wi-Fi の期限切れの個人情報を削除", "deleted what was overdue of the Wi-Fi"),
    "did_wifi_keep": ("Wi-Fi の保存日数を変更", "changed how long the Wi-Fi's personal fields are kept"),
    "did_wifi_proof": ("Wi-Fi の削除証明を書き出し", "exported the proofs of deletion"),
    "did_inquiry_enter": ("Wi-Fi の照会を入力", "entered an inquiry about the Wi-Fi"),
    "did_inquiry_approve": ("Wi-Fi の照会への回答を承認", "agreed to answer an inquiry about the Wi-Fi"),
    "did_inquiry_refuse": ("Wi-Fi の照会への回答を拒否", "refused an inquiry about the Wi-Fi"),
    "did_inquiry_hand_out": ("Wi-Fi の照会の回答を書き出し", "handed out the extract of an inquiry about the Wi-Fi"),
    "did_radius_client": ("他社アクセスポイントを登録", "added another maker's access point"),
    "did_radius_client_withdrawn": ("他社アクセスポイントを取り消し", "withdrew another maker's access point"),
    "did_wifi_notice": ("電気通信事業の届出資料を書き出し", "exported the data for the notification of the service"),
}
