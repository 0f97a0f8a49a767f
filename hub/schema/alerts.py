"""Tables of alerts."""

TABLES = ""
