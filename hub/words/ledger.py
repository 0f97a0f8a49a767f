"""Words of the ledger, receipts and statements."""

WORDS: dict[str, tuple[str, str]] = {}
