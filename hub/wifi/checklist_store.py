"""SQL of what the checklist and the notification are made of: access points as they are, what guests agreed to."""

import msgspec

from hub.db import Connection
from hub.wifi import purge_store, retention, terms_store
from hub.wifi.checklist import Given, Point
from wire.messages import WifiState

_MONTH_MS = 30 * 86_400_000
_state = msgspec.json.Decoder(WifiState)


def points(conn: Connection) -> list[Point]:
    """Our access points, by place and name."""
    rows = conn.execute(
        "SELECT d.name, coalesce(i.place, ''), d.version, s.body, coalesce(s.received_ms, 0) FROM device d "
        "LEFT JOIN item i ON i.device_id = d.id LEFT JOIN wifi_state s ON s.device_id = d.id "
        "WHERE d.kind = 'access_point' ORDER BY 2, 1"
    )
    return [Point(name, place, version, _told(body), told_ms) for name, place, version, body, told_ms in rows]


def _told(body: str | None) -> WifiState | None:
    return _state.decode(body) if body else None


def given(conn: Connection, now_ms: int) -> Given:
    """Everything that the checklist looks at."""
    there, setting, terms = points(conn), purge_store.setting(conn), terms_store.current(conn)
    proofs = purge_store.proofs(conn)
    consents, confirmed = conn.execute(
        "SELECT count(*), coalesce(sum(confirmed_ms IS NOT NULL OR way = 'voucher'), 0) FROM wifi_consent "
        "WHERE at_ms >= ?",
        (now_ms - _MONTH_MS,),
    ).fetchone()
    drill_ms = conn.execute("SELECT max(at_ms) FROM disaster_report WHERE state = 'drilled'").fetchone()[0]
    newest, since_ms = _newest(conn, there, now_ms)
    return Given(
        points=there,
        newest=newest,
        newest_since_ms=since_ms,
        terms=terms.version,
        languages=len(terms.texts),
        keep_days=setting.keep_days,
        purged_ms=proofs[0].at_ms if proofs else None,
        left_over=proofs[0].left_over if proofs else 0,
        proofs_whole=retention.first_broken(proofs[::-1]) is None,
        confirmed=confirmed,
        consents=consents,
        drill_ms=drill_ms,
        now_ms=now_ms,
    )


def _newest(conn: Connection, there: list[Point], now_ms: int) -> tuple[str, int]:
    """The newest version that an access point runs, and since when one with it is known."""
    newest = max((point.version for point in there), key=_by_figures, default="")
    row = conn.execute(
        "SELECT min(told_ms) FROM device_fact WHERE version = ?",
        (newest,),
    ).fetchone()
    return newest, row[0] if row and row[0] is not None else now_ms


def _by_figures(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
