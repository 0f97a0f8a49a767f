"""Words of people, roles and the audit log."""

WORDS: dict[str, tuple[str, str]] = {}
