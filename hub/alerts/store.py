"""SQL: alerts, as they begin, go on and end, and what people do with them."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hub.alerts.hours import Hours
from hub.alerts.kinds import KINDS, MINUTE_MS
from hub.alerts.rule import Alert, Changes, Fact, Letter, told_after
from hub.db import Connection

_COLUMNS = (
    "id, kind, subject, device, place, detail, n, begun_ms, noticed_ms, times, calm_ms, ended_ms, closed_ms, told, "
    "hushed_until_ms, hushed_by, taken_ms, taken_by"
)


class AlertSettings(msgspec.Struct, frozen=True):
    """What the town chose: its hours, how long something must stay away to have ended, when a tablet is missed, and
    how old the last backup may be (0: nobody is told)."""

    hours: Hours = Hours()
    hold_down_minutes: int = 10
    tablet_days: int = 3
    backup_days: int = 3

    @property
    def hold_down_ms(self) -> int:
        """The hold-down."""
        return self.hold_down_minutes * MINUTE_MS


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which alerts a page shows."""

    kind: str = ""
    place: str = ""
    device: str = ""


def open_alerts(conn: Connection, asked: Asked | None = None) -> list[Alert]:
    """Those that have not ended, the newest first."""
    where, args = _where(asked or Asked())
    return _alerts(conn, f"WHERE ended_ms IS NULL {where} ORDER BY begun_ms DESC, id DESC", args)


def ended_alerts(conn: Connection, asked: Asked, limit: int, before_id: int | None = None) -> list[Alert]:
    """Those that have ended, the newest first; those before `before_id` for the next page."""
    where, args = _where(asked)
    before = "AND id < ?" if before_id else ""
    return _alerts(
        conn,
        f"WHERE ended_ms IS NOT NULL {where} {before} ORDER BY id DESC LIMIT ?",
        [*args, *([before_id] if before_id else []), limit],
    )


def untold(conn: Connection) -> list[Alert]:
    """Those about which something is left to tell."""
    return _alerts(conn, "WHERE told < 2", [])


def one(conn: Connection, alert_id: int) -> Alert | None:
    """The alert of this number."""
    return next(iter(_alerts(conn, "WHERE id = ?", [alert_id])), None)


def places(conn: Connection) -> list[str]:
    """Every place that an alert was about."""
    return [place for (place,) in conn.execute("SELECT DISTINCT place FROM alert WHERE place <> '' ORDER BY place")]


def apply(conn: Connection, changes: Changes, now_ms: int) -> None:
    """Writes what a look changed. What is open already is not begun again (`alert_open`)."""
    conn.executemany(
        "INSERT INTO alert (kind, subject, device, place, detail, n, begun_ms, noticed_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [_row(fact, now_ms) for fact in changes.begun],
    )
    conn.executemany(
        "UPDATE alert SET calm_ms = NULL, times = times + 1 WHERE id = ? AND ended_ms IS NULL", _ids(changes.back)
    )
    conn.executemany(
        "UPDATE alert SET calm_ms = ? WHERE id = ? AND ended_ms IS NULL", [(now_ms, id_) for id_ in changes.calm]
    )
    conn.executemany(
        "UPDATE alert SET ended_ms = calm_ms, closed_ms = ? WHERE id = ? AND ended_ms IS NULL AND calm_ms IS NOT NULL",
        [(now_ms, id_) for id_ in changes.ended],
    )
    conn.executemany(
        "UPDATE alert SET n = ?, detail = ?, place = ? WHERE id = ? AND ended_ms IS NULL",
        [(fact.n, fact.detail, fact.place, id_) for id_, fact in changes.anew],
    )


def mark_told(conn: Connection, letters: Iterable[Letter]) -> None:
    """What these letters tell has been told; a hush that is over is forgotten."""
    conn.executemany(
        "UPDATE alert SET told = ?, hushed_until_ms = NULL, hushed_by = '' WHERE id = ?",
        [(told_after(alert), alert.id) for letter in letters for alert in letter.alerts],
    )


def hush(conn: Connection, alert_id: int, until_ms: int | None, who: str) -> bool:
    """Tells nobody of it until then, or takes that back (None); False when it is not open."""
    by = who if until_ms is not None else ""
    return _changed(
        conn,
        "UPDATE alert SET hushed_until_ms = ?, hushed_by = ? WHERE id = ? AND ended_ms IS NULL",
        (until_ms, by, alert_id),
    )


def take(conn: Connection, alert_id: int, at_ms: int | None, who: str) -> bool:
    """Somebody sees to it, or does no longer (None); False when it is not open."""
    by = who if at_ms is not None else ""
    return _changed(
        conn,
        "UPDATE alert SET taken_ms = ?, taken_by = ? WHERE id = ? AND ended_ms IS NULL",
        (at_ms, by, alert_id),
    )


def read_settings(conn: Connection) -> AlertSettings:
    """What the town chose, or what is usual."""
    row = conn.execute("SELECT body FROM alert_setting WHERE id = 1").fetchone()
    return msgspec.json.decode(row[0], type=AlertSettings) if row else AlertSettings()


def write_settings(conn: Connection, settings: AlertSettings) -> None:
    """Keeps what the town chose."""
    conn.execute(
        "INSERT INTO alert_setting (id, body) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        (msgspec.json.encode(settings).decode(),),
    )


def note_backup(conn: Connection, at_ms: int, size_bytes: int) -> None:
    """A copy of the database was made."""
    conn.execute(
        "INSERT INTO backup (id, at_ms, bytes) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms, "
        "bytes = excluded.bytes",
        (at_ms, size_bytes),
    )


def _row(fact: Fact, now_ms: int) -> tuple[str | int, ...]:
    return fact.kind, fact.subject, fact.device, fact.place, fact.detail, fact.n, fact.since_ms, now_ms


def _ids(ids: Sequence[int]) -> list[tuple[int]]:
    return [(id_,) for id_ in ids]


def _changed(conn: Connection, statement: str, args: tuple[Any, ...]) -> bool:
    return conn.execute(statement, args).rowcount > 0


def _where(asked: Asked) -> tuple[str, list[Any]]:
    fields = {name: value for name, value in msgspec.structs.asdict(asked).items() if value}
    return "".join(f"AND {name} = ? " for name in fields), list(fields.values())


def _alerts(conn: Connection, rest: str, args: Sequence[Any]) -> list[Alert]:
    rows = conn.execute(f"SELECT {_COLUMNS} FROM alert {rest}", args)  # noqa: S608 (our own words)
    # A kind of a newer hub, whose database was put back: not for this one to show.
    return [Alert(*row) for row in rows if row[1] in KINDS]
