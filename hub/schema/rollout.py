"""Tables of roll-outs."""

TABLES = ""
