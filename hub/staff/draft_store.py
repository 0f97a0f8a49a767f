"""SQL of files that were looked at and wait for their "do it": for an hour, and whoever brought them."""

from hub.db import Connection

_DRAFT_MS = 3_600_000


def keep_draft(conn: Connection, token: str, kind: str, who: str, name: str, content: bytes, now_ms: int) -> None:
    """Keeps a file for an hour; a person's earlier ones of its kind go."""
    conn.execute("DELETE FROM draft WHERE (who = ? AND kind = ?) OR made_ms < ?", (who, kind, now_ms - _DRAFT_MS))
    conn.execute("INSERT INTO draft VALUES (?, ?, ?, ?, ?, ?)", (token, kind, who, name, content, now_ms))


def draft(conn: Connection, token: str, kind: str, who: str, now_ms: int) -> tuple[str, bytes] | None:
    """Name and content of a person's own file, while it waits."""
    row: tuple[str, bytes] | None = conn.execute(
        "SELECT name, content FROM draft WHERE token = ? AND kind = ? AND who = ? AND made_ms >= ?",
        (token, kind, who, now_ms - _DRAFT_MS),
    ).fetchone()
    return row


def drop_draft(conn: Connection, token: str) -> None:
    """Forgets it."""
    conn.execute("DELETE FROM draft WHERE token = ?", (token,))
