"""Small benefits on a card, taken at this device within what the hub allowed it."""
