"""Words of the disaster switch."""

WORDS: dict[str, tuple[str, str]] = {}
