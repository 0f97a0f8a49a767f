"""Words of vouchers."""

WORDS: dict[str, tuple[str, str]] = {}
