"""SQL of retention: counts what is overdue, takes it out some at a time, keeps the proofs.

1. Each function of a step deletes at most `limit` rows and says how many, so that a transaction is short however much
   there is, and a run that is cut off goes on where it was.
2. The raw bodies lie in the events of a month, which have no index: each is looked at twice, once when it is new (for
   what came late) and once when it has its age.
3. What is deleted is overwritten in the file (`secure_delete`, see `hub/db.py`).
"""

from typing import NamedTuple

import msgspec

from hub.db import Connection
from hub.fleet.truetime import EARLIEST_MS
from hub.wifi import retention
from hub.wifi.retention import Cut, Proof, Setting

# Times of sessions and consents are believable: what cannot be was taken for the time of arrival (`session.py`).
_SESSION_DUE = "(guest IS NOT NULL OR origin != '') AND last_ms < :before"
_CONSENT_DUE = "(contact IS NOT NULL OR contact_key != '' OR voucher != '') AND at_ms < :before"
_KINDS = "kind IN ('wifi_session', 'consent')"
_LATEST_DUE = f"{_KINDS} AND (received_ms < :raw OR (at_ms < :before AND at_ms >= :earliest))"
# What cannot be read may hold anything that such a device sends; what names another kind does not.
_QUARANTINE_DUE = (
    "raw != x'' AND received_ms < :raw AND (kind IN ('wifi_session', 'consent') OR (kind IN ('', 'up') AND NOT EXISTS "
    "(SELECT 1 FROM device d WHERE d.id = device_id AND d.kind IN ('terminal', 'tablet'))))"
)
_APART_DUE = f"{_KINDS} AND (received_ms < :before OR (at_ms < :before AND at_ms >= :earliest))"

_proof_counts = msgspec.json.Decoder(dict[str, int])


class Step(NamedTuple):
    """What is taken out of one table: how it is counted, and the statement that takes some out."""

    what: retention.What
    due: str
    take: str


_FEW = "id IN (SELECT id FROM {} WHERE {} LIMIT :limit)"
STEPS = (
    Step(
        "sessions",
        f"SELECT count(*) FROM wifi_session WHERE {_SESSION_DUE}",  # noqa: S608 (our own words, as all below)
        f"UPDATE wifi_session SET guest = NULL, origin = '' WHERE {_FEW.format('wifi_session', _SESSION_DUE)}",  # noqa: S608
    ),
    Step(
        "consents",
        f"SELECT count(*) FROM wifi_consent WHERE {_CONSENT_DUE}",  # noqa: S608
        "UPDATE wifi_consent SET contact = NULL, contact_key = '', voucher = '' "  # noqa: S608
        f"WHERE {_FEW.format('wifi_consent', _CONSENT_DUE)}",
    ),
    Step(
        "latest",
        f"SELECT count(*) FROM latest WHERE {_LATEST_DUE}",  # noqa: S608
        "DELETE FROM latest WHERE (device_id, kind) IN "  # noqa: S608
        f"(SELECT device_id, kind FROM latest WHERE {_LATEST_DUE} LIMIT :limit)",
    ),
    Step(
        "quarantine",
        f"SELECT count(*) FROM quarantine WHERE {_QUARANTINE_DUE}",  # noqa: S608
        f"UPDATE quarantine SET raw = x'' WHERE {_FEW.format('quarantine', _QUARANTINE_DUE)}",  # noqa: S608
    ),
    Step(
        "apart",
        f"SELECT count(*) FROM clone_record WHERE {_APART_DUE}",  # noqa: S608
        f"DELETE FROM clone_record WHERE {_FEW.format('clone_record', _APART_DUE)}",  # noqa: S608
    ),
)


def _values(cut: Cut) -> dict[str, int]:
    return {"before": cut.before_ms, "raw": cut.raw_ms, "earliest": EARLIEST_MS}


def due(conn: Connection, cut: Cut) -> dict[str, int]:
    """How much is overdue, of each thing that is not empty of it."""
    counts: dict[str, int] = {step.what: conn.execute(step.due, _values(cut)).fetchone()[0] for step in STEPS}
    counts["raw"] = raw_due(conn, cut)
    return counts


def take(conn: Connection, step: Step, cut: Cut, limit: int) -> int:
    """Takes some out; how many."""
    return conn.execute(step.take, {**_values(cut), "limit": limit}).rowcount


# ---- raw bodies


class Span(NamedTuple):
    """Events of one month that have to be looked at: after one number, through another."""

    month: str
    after: int
    through: int
    fresh: bool


def spans(conn: Connection, cut: Cut) -> list[Span]:
    """What has to be looked at: new events for those that came late, and those that have their age."""
    found = []
    for month in _months(conn):
        fresh_id, aged_id = conn.execute(
            "SELECT coalesce(max(fresh_id), 0), coalesce(max(aged_id), 0) FROM wifi_purge_month WHERE month = ?",
            (month,),
        ).fetchone()
        newest = conn.execute(f"SELECT coalesce(max(id), 0) FROM event_{month}").fetchone()[0]  # noqa: S608
        aged = _aged_through(conn, month, cut.raw_ms, newest)
        if aged > aged_id:
            found.append(Span(month, aged_id, aged, fresh=False))
        if newest > max(fresh_id, aged):
            found.append(Span(month, max(fresh_id, aged), newest, fresh=True))
    return found


def _months(conn: Connection) -> list[str]:
    rows = conn.execute(
        "SELECT substr(name, 7) FROM sqlite_master WHERE type = 'table' AND name GLOB 'event_[0-9]*' ORDER BY name"
    )
    return [month for (month,) in rows]


def _aged_through(conn: Connection, month: str, raw_ms: int, newest: int) -> int:
    """The last event that came before a moment: found from the first events of hours, and then one by one."""
    row = conn.execute(
        "SELECT first_id FROM mark WHERE month = ? AND hour_ms > ? ORDER BY hour_ms LIMIT 1", (month, raw_ms)
    ).fetchone()
    end = row[0] - 1 if row else newest
    found = conn.execute(
        f"SELECT coalesce(max(id), 0) FROM event_{month} WHERE id <= ? AND received_ms < ?",  # noqa: S608
        (end, raw_ms),
    ).fetchone()
    return int(found[0])


def take_raw(conn: Connection, span: Span, cut: Cut, limit: int) -> tuple[Span | None, int]:
    """Goes through so many events of a span; what is left of it, and how many bodies were taken out."""
    through = min(span.after + limit, span.through)
    late = " AND at_ms < :fresh AND at_ms >= :earliest" if span.fresh else ""
    taken = conn.execute(
        f"DELETE FROM event_{span.month} WHERE id > :after AND id <= :through "  # noqa: S608
        f"AND kind_id IN (SELECT id FROM kind WHERE name IN ('wifi_session', 'consent')){late}",
        {"after": span.after, "through": through, "fresh": cut.fresh_ms, "earliest": EARLIEST_MS},
    ).rowcount
    conn.execute(
        "INSERT INTO wifi_purge_month (month, fresh_id, aged_id) VALUES (?, ?, ?) ON CONFLICT (month) DO UPDATE SET "
        "fresh_id = max(fresh_id, excluded.fresh_id), aged_id = max(aged_id, excluded.aged_id)",
        (span.month, through, 0 if span.fresh else through),
    )
    return (span._replace(after=through) if through < span.through else None), taken


def raw_due(conn: Connection, cut: Cut) -> int:
    """How many raw bodies are overdue: reads the events that have not been gone through."""
    n = 0
    for span in spans(conn, cut):
        late = " AND at_ms < :fresh AND at_ms >= :earliest" if span.fresh else ""
        n += conn.execute(
            f"SELECT count(*) FROM event_{span.month} WHERE id > :after AND id <= :through "  # noqa: S608
            f"AND kind_id IN (SELECT id FROM kind WHERE name IN ('wifi_session', 'consent')){late}",
            {"after": span.after, "through": span.through, "fresh": cut.fresh_ms, "earliest": EARLIEST_MS},
        ).fetchone()[0]
    return n


# ---- setting, proofs


def setting(conn: Connection) -> Setting:
    """What the town has set."""
    row = conn.execute("SELECT keep_days, fewest FROM wifi_setting").fetchone()
    return Setting(*row) if row else Setting()


def keep_setting(conn: Connection, what: Setting) -> None:
    """Sets it."""
    conn.execute(
        "INSERT INTO wifi_setting (id, keep_days, fewest) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET "
        "keep_days = excluded.keep_days, fewest = excluded.fewest",
        (what.keep_days, what.fewest),
    )
    # What came late is looked for anew: with fewer days more of it is overdue.
    conn.execute("UPDATE wifi_purge_month SET fresh_id = 0")


def prove(conn: Connection, at_ms: int, before_ms: int, counts: dict[str, int], left_over: int) -> Proof:
    """Appends a proof, joined to the one before it."""
    number, prev = conn.execute(
        "SELECT coalesce(max(id), 0) + 1, coalesce((SELECT hash FROM wifi_purge ORDER BY id DESC LIMIT 1), ?) "
        "FROM wifi_purge",
        (retention.START,),
    ).fetchone()
    hashed = retention.digest(prev, at_ms, before_ms, counts, left_over, number)
    conn.execute(
        "INSERT INTO wifi_purge (id, at_ms, before_ms, counts, left_over, hash) VALUES (?, ?, ?, ?, ?, ?)",
        (number, at_ms, before_ms, msgspec.json.encode(counts).decode(), left_over, hashed),
    )
    return Proof(number, at_ms, before_ms, counts, left_over, hashed)


def proofs(conn: Connection, limit: int = -1) -> list[Proof]:
    """The proofs, newest first."""
    rows = conn.execute(
        "SELECT id, at_ms, before_ms, counts, left_over, hash FROM wifi_purge ORDER BY id DESC LIMIT ?", (limit,)
    )
    return [Proof(id_, at, before, _proof_counts.decode(counts), left, h) for id_, at, before, counts, left, h in rows]


def last_run_ms(conn: Connection) -> int | None:
    """When the newest proof was written."""
    row = conn.execute("SELECT at_ms FROM wifi_purge ORDER BY id DESC LIMIT 1").fetchone()
    return row[0] if row else None


def has_any(conn: Connection) -> bool:
    """Whether there has ever been a session or a consent."""
    row = conn.execute("SELECT EXISTS (SELECT 1 FROM wifi_session) OR EXISTS (SELECT 1 FROM wifi_consent)").fetchone()
    return bool(row[0])
