"""SQL of ordered and actual settings."""

from collections.abc import Sequence

from hub.db import Connection
from hub.told import Told


def take_reports(conn: Connection, told: Sequence[Told]) -> None:
    """How far devices have followed (`wire.messages.Reported`)."""


def take_presences(conn: Connection, told: Sequence[Told]) -> None:
    """Devices that came (`wire.messages.Presence`): one behind its generation is sent it again."""
