"""What these tests share: people, punches as ingest puts them there, files as a browser sends them."""

import re
from datetime import date
from typing import Any

import httpx

from hub.db import Connection
from hub.staff import acts
from hub.staff.terms import Terms
from tests.login.parts import Browser, Town


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


def somebody(conn: Connection, number: str, since: date = date(2026, 4, 1), **terms: Any) -> int:
    """Somebody works here."""
    return acts.add(conn, 0, "sachi", number, since, Terms(since=since, **terms))


def upload(town: Town, browser: Browser, path: str, content: bytes, name: str = "staff.csv") -> httpx.Response:
    """A file, from our own page."""
    cookies = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
    return httpx.post(
        town.url + path,
        data={"csrf": browser.csrf()},
        files={"file": (name, content)},
        headers={"origin": town.url, "cookie": cookies},
        timeout=30,
    )


def confirm(browser: Browser, kind: str, look: httpx.Response) -> httpx.Response:
    """Says yes to what was looked at."""
    token, digest = (re.search(rf'name="{name}" value="([^"]+)"', look.text) for name in ("token", "digest"))
    assert token, look.text
    assert digest
    return browser.send(f"/staff/import/{kind}/do", {"token": token[1], "digest": digest[1]})
