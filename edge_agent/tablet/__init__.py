"""What a lent tablet does: its counters, its page, what it keeps to be read."""
