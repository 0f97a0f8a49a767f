"""Words of commands."""

WORDS: dict[str, tuple[str, str]] = {}
