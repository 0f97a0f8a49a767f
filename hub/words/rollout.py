"""Words of roll-outs."""

WORDS: dict[str, tuple[str, str]] = {}
