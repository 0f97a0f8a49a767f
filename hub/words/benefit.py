"""Words of benefits on a card."""

WORDS: dict[str, tuple[str, str]] = {}
