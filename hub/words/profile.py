"""Words of the town's values."""

WORDS: dict[str, tuple[str, str]] = {}
