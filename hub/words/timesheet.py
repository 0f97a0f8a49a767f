"""Words of months and days."""

WORDS: dict[str, tuple[str, str]] = {}
