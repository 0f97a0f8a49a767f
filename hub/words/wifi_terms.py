"""Words of the terms of the Wi-Fi."""

WORDS: dict[str, tuple[str, str]] = {}
