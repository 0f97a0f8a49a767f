"""Words of ordered and actual settings."""

WORDS: dict[str, tuple[str, str]] = {}
