"""The close of a month."""
