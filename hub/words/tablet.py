"""Words of lent tablets and what they show."""

WORDS: dict[str, tuple[str, str]] = {}
