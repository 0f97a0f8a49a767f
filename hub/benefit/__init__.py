"""Small benefits on a card."""
