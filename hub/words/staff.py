"""Words of staff and cards."""

WORDS: dict[str, tuple[str, str]] = {}
