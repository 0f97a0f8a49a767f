"""Words of the carrier's bills."""

WORDS: dict[str, tuple[str, str]] = {}
