"""What the hub's pages show."""
