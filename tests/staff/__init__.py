"""Staff, their terms, their cards, and who they are."""
