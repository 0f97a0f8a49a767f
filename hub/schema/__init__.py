"""The tables of each domain, as `migrations.py` makes them: statements that end with a semicolon."""
