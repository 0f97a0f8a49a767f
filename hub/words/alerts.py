"""Words of alerts."""

WORDS: dict[str, tuple[str, str]] = {}
