"""What lent tablets counted, as the hub keeps it."""
