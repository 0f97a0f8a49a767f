"""Tables of enrolment and certificates."""

TABLES = ""
