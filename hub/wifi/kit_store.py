"""SQL of what access points know to receive guests: what was sealed for whom, and what they said of it.

1. Whoever changes what a kit holds marks it (`touch`) in that transaction; `kit_task.py` publishes it a moment later.
"""

from hub.db import Connection


def touch(conn: Connection) -> None:
    """What a kit holds has changed: access points are to be told, as soon as this transaction is committed."""
    conn.execute(
        "INSERT INTO kit_state (id, touched) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET touched = touched + 1"
    )
