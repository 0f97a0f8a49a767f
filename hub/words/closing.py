"""Words of the close."""

WORDS: dict[str, tuple[str, str]] = {}
