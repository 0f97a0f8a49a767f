"""How often each device reports, for lists of many (SQL)."""

from hub.db import Connection
from hub.fleet import late, store
from hub.fleet.truetime import true_ms


def report_intervals(conn: Connection) -> dict[int, int]:
    """How often each device reports, in ms, as its own recent samples tell."""
    last_ms = _health_times(conn)
    samples = store.recent_samples(conn, "", ())
    return {
        device_id: late.report_every_ms(samples[device_id], last_ms.get(device_id))
        for (device_id,) in conn.execute("SELECT id FROM device")
    }


def _health_times(conn: Connection) -> dict[int, int]:
    """When each device's newest health record was made."""
    rows = conn.execute("SELECT device_id, boot_id, mono_ms, at_ms, clock FROM latest WHERE kind = 'health'").fetchall()
    known = store.anchors(conn, {row[1] for row in rows if row[4]})
    return {
        device_id: true_ms(at_ms, mono_ms, clock, known.get(boot_id, ()))
        for device_id, boot_id, mono_ms, at_ms, clock in rows
    }
