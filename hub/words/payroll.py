"""Words of payroll files."""

WORDS: dict[str, tuple[str, str]] = {}
