"""The hub's database and the way pages hear of changes."""
