"""Words of other makers' access points."""

WORDS: dict[str, tuple[str, str]] = {}
