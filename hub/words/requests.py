"""Words of requests."""

WORDS: dict[str, tuple[str, str]] = {}
