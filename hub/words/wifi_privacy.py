"""Words of retention and inquiries."""

WORDS: dict[str, tuple[str, str]] = {}
