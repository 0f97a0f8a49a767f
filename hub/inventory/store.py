"""SQL of inventory and loans."""

from collections.abc import Sequence

from hub.db import Connection
from hub.told import Told


def take(conn: Connection, told: Sequence[Told]) -> None:
    """What devices are made of (`wire.messages.Inventory`)."""
