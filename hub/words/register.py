"""Words of the registers: residents, lines, tariffs, rules, applications, decisions."""

WORDS: dict[str, tuple[str, str]] = {}
