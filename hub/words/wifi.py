"""Words of access points and their use."""

WORDS: dict[str, tuple[str, str]] = {}
