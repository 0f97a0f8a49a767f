"""Words of enrolment and certificates."""

WORDS: dict[str, tuple[str, str]] = {}
