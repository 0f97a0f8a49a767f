"""What these tests share: punches as ingest puts them there."""

from hub.db import Connection


def punch(
    conn: Connection,
    token: str,
    at_ms: int,
    terminal: str,
    *,
    technology: str = "",
    clock: int = 0,
    received_ms: int | None = None,
) -> None:
    """Somebody taps."""
    conn.execute(
        "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms) VALUES (?, 'terminal', 0, 0) "
        "ON CONFLICT DO NOTHING",
        (terminal,),
    )
    device_id = conn.execute("SELECT id FROM device WHERE name = ?", (terminal,)).fetchone()[0]
    seq = conn.execute("SELECT coalesce(max(seq), 0) + 1 FROM punch").fetchone()[0]
    conn.execute(
        "INSERT INTO punch (device_id, lane_id, seq, boot_id, mono_ms, at_ms, clock, received_ms, card, direction, "
        "standing, chosen, technology) VALUES (?, 1, ?, 1, ?, ?, ?, ?, ?, 'clock_in', 'unknown', 'time', ?)",
        (device_id, seq, at_ms, at_ms, clock, at_ms if received_ms is None else received_ms, token, technology),
    )
