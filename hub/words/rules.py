"""Words of the rules and their clauses."""

WORDS: dict[str, tuple[str, str]] = {}
