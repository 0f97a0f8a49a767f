"""Words of inventory and loans."""

WORDS: dict[str, tuple[str, str]] = {}
