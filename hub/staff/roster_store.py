"""SQL of what terminals know of cards: what was sealed for whom, and what they said of it.

1. Whoever changes a card or a name marks it (`touch`) in that transaction; `roster_task.py` publishes it a moment later.
"""

from hub.db import Connection


def touch(conn: Connection, now_ms: int) -> None:  # noqa: ARG001 (the moment is that of the publication)
    """Cards or names have changed: the terminals are to be told, as soon as this transaction is committed."""
    conn.execute(
        "INSERT INTO roster_state (id, touched) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET touched = touched + 1"
    )
