"""SQL of enrolment and certificates."""

from collections.abc import Sequence

from hub.db import Connection
from hub.told import Told


def take_renewals(conn: Connection, told: Sequence[Told]) -> None:
    """Requests for the next certificate (`wire.messages.Renewal`)."""
