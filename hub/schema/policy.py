"""Tables of ordered and actual settings."""

TABLES = ""
