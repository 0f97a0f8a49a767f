"""Pages of days and months."""
