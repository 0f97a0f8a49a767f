"""Tables of the HTTP API."""

TABLES = ""
