"""From the broker into the hub's database."""
