"""Tables of commands."""

TABLES = ""
