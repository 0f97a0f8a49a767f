"""SQL of commands."""

from collections.abc import Sequence

from hub.db import Connection
from hub.told import Told


def take_results(conn: Connection, told: Sequence[Told]) -> None:
    """What became of orders (`wire.messages.Result`)."""


def take_bundles(conn: Connection, told: Sequence[Told]) -> None:
    """Parts of files that orders asked for (`wire.messages.Bundle`)."""
