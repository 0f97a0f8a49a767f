"""What every kind of paper has in common once it is opened (`wire/shelf.py`, `wire/purse.py`)."""


class BadPaper(Exception):
    """Bytes that are no paper of their kind; one plain sentence, without anything of its content."""
