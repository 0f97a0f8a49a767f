"""A set of devices brought from their present settings to new ones, group by group."""
