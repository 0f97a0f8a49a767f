"""Words of vouchers."""

WORDS: dict[str, tuple[str, str]] = {
    # the audit log
    "did_voucher_make": ("利用券を作った", "made vouchers"),
    "did_voucher_make_again": ("利用券を作り直した", "made vouchers again"),
    "did_voucher_withdraw": ("利用券を無効にした", "withdrew vouchers"),
}
