"""Tables of inventory and loans."""

TABLES = ""
