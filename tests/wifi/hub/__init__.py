"""The hub half of sessions: the fold, roaming, letters to guests, pages."""
