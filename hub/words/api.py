"""Words of the HTTP API."""

WORDS: dict[str, tuple[str, str]] = {}
