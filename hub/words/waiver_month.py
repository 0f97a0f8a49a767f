"""Words of the month, its closing, the year and the reports."""

WORDS: dict[str, tuple[str, str]] = {}
