"""The hub's tables, as an ordered list of changes.  Only this file and `db.py` know that it is SQLite.

1. A migration that has been released is never edited; a new one is added below it.
2. The events themselves lie in one table a month (`event_202611`), made by the first group of that month:
   append-only and without an index, so that the ten-millionth goes in as quickly as the first.
   A record counts once because of its lane's cursor (`lane.through`), written in the same transaction.
   Punches have keys as well: few, and worth it.
3. Pages read the small tables beside them: latest state, hourly roll-ups, punches, alarms.
4. Clock quality is kept as 0 synced, 1 held, 2 unset; times are milliseconds of UTC.
"""

import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations

from hub import chain
from hub.schema import (
    alerts,
    api,
    attendance,
    audit,
    benefit,
    bill,
    clone,
    identity,
    inventory,
    ledger,
    orders,
    outbox,
    paper,
    people,
    policy,
    register,
    rollout,
    staff,
    tablet,
    waiver_month,
    wifi,
)

migrations = Migrations("hub")


def apply(path: Path) -> None:
    """Brings the file at `path` (made if need be) to the newest shape."""
    database = Database(path)
    try:
        database.enable_wal()
        migrations.apply(database)
    finally:
        database.close()


@migrations()
def m001_records(db: Database) -> None:
    """Who sends, how far each lane was taken in, and what the records said."""
    _make(db, _RECORDS)


@migrations()
def m002_people(db: Database) -> None:
    """Who may sign in, who has, and what was done."""
    _make(db, _PEOPLE)


@migrations()
def m003_seen(db: Database) -> None:
    """Losses that somebody has looked at: the totals of that moment, who and when."""
    db.execute(
        "CREATE TABLE seen (device_id INTEGER PRIMARY KEY, missing INTEGER NOT NULL, dropped INTEGER NOT NULL, "
        "quarantined INTEGER NOT NULL, at_ms INTEGER NOT NULL, who TEXT NOT NULL)"
    )


@migrations()
def m004_outbox(db: Database) -> None:
    """What is to go to devices, and to whom nothing may go."""
    _make(db, outbox.TABLES)


@migrations()
def m005_identity(db: Database) -> None:
    """Enrolment and certificates."""
    _make(db, identity.TABLES)


@migrations()
def m006_orders(db: Database) -> None:
    """Commands."""
    _make(db, orders.TABLES)


@migrations()
def m007_policy(db: Database) -> None:
    """Ordered and actual settings."""
    _make(db, policy.TABLES)


@migrations()
def m008_rollout(db: Database) -> None:
    """Roll-outs."""
    _make(db, rollout.TABLES)


@migrations()
def m009_inventory(db: Database) -> None:
    """Inventory and loans."""
    _make(db, inventory.TABLES)


@migrations()
def m010_alerts(db: Database) -> None:
    """Alerts."""
    _make(db, alerts.TABLES)


@migrations()
def m011_people(db: Database) -> None:
    """People, roles and the audit log."""
    _make(db, people.TABLES)


@migrations()
def m012_api(db: Database) -> None:
    """The HTTP API."""
    _make(db, api.TABLES)


@migrations()
def m013_audit_chain(db: Database) -> None:
    """The audit log is a chain; what was written before is taken into it as it stands."""
    _make(db, audit.TABLES)
    head = chain.START
    for seq, values in enumerate(db.execute(audit.BEFORE).fetchall(), 1):
        prev, head = head, chain.digest(seq, head, chain.body(*values))
        db.execute(audit.INSERT, [seq, *values, prev, head])
    db.execute(audit.AFTER)


@migrations()
def m014_clone(db: Database) -> None:
    """Copied devices."""
    _make(db, clone.TABLES)


@migrations()
def m015_staff(db: Database) -> None:
    """Staff and cards."""
    _make(db, staff.TABLES)


@migrations()
def m016_attendance(db: Database) -> None:
    """Requests, profiles, closes."""
    _make(db, attendance.TABLES)


@migrations()
def m017_wifi(db: Database) -> None:
    """The town's Wi-Fi."""
    _make(db, wifi.TABLES)


@migrations()
def m018_waivers(db: Database) -> None:
    """Papers of devices, lent tablets, the registers of waivers, bills, the ledger, and benefits on a card."""
    for one in (paper, tablet, register, bill, ledger, benefit, waiver_month):
        _make(db, one.TABLES)


def _make(db: Database, statements: str) -> None:
    # A trigger has semicolons of its own.
    statement = ""
    for part in statements.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


_PEOPLE = """
CREATE TABLE person (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  shown TEXT NOT NULL,
  role TEXT NOT NULL,
  password TEXT NOT NULL DEFAULT '',
  disabled INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL
);

CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id),
  created_ms INTEGER NOT NULL,
  seen_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_person ON session (person_id);

CREATE TABLE invitation (
  token_hash TEXT PRIMARY KEY,
  person_id INTEGER REFERENCES person(id),
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  did TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
)
"""

_RECORDS = """
CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL DEFAULT '',
  first_heard_ms INTEGER NOT NULL,
  last_heard_ms INTEGER NOT NULL,
  online INTEGER NOT NULL DEFAULT 0,
  boot TEXT NOT NULL DEFAULT '',
  connection INTEGER NOT NULL DEFAULT 0,
  version TEXT NOT NULL DEFAULT ''
);

CREATE TABLE lane (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device(id),
  spool TEXT NOT NULL,
  lane TEXT NOT NULL,
  through INTEGER NOT NULL,
  missing INTEGER NOT NULL DEFAULT 0,
  last_ms INTEGER NOT NULL,
  UNIQUE (device_id, spool, lane)
);

CREATE TABLE boot (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device(id),
  boot TEXT NOT NULL,
  UNIQUE (device_id, boot)
);

CREATE TABLE kind (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE mark (
  month TEXT NOT NULL,
  hour_ms INTEGER NOT NULL,
  first_id INTEGER NOT NULL,
  PRIMARY KEY (month, hour_ms)
);

CREATE TABLE latest (
  device_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  boot_id INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (device_id, kind)
) WITHOUT ROWID;

CREATE TABLE health_hour (
  device_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  samples INTEGER NOT NULL,
  cpu_sum INTEGER NOT NULL,
  memory_sum INTEGER NOT NULL,
  disk_sum INTEGER NOT NULL,
  temperature_samples INTEGER NOT NULL,
  temperature_sum INTEGER NOT NULL,
  spool_max INTEGER NOT NULL,
  PRIMARY KEY (device_id, hour_ms)
) WITHOUT ROWID;

CREATE TABLE usage_hour (
  device_id INTEGER NOT NULL,
  hour_ms INTEGER NOT NULL,
  interface TEXT NOT NULL,
  link TEXT NOT NULL,
  rx_bytes INTEGER NOT NULL,
  tx_bytes INTEGER NOT NULL,
  PRIMARY KEY (device_id, hour_ms, interface, link)
) WITHOUT ROWID;

CREATE TABLE usage_counter (
  boot_id INTEGER NOT NULL,
  interface TEXT NOT NULL,
  rx_bytes INTEGER NOT NULL,
  tx_bytes INTEGER NOT NULL,
  PRIMARY KEY (boot_id, interface)
) WITHOUT ROWID;

CREATE TABLE anchor (
  id INTEGER PRIMARY KEY,
  boot_id INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  wall_ms INTEGER NOT NULL
);
CREATE INDEX anchor_boot ON anchor (boot_id);

CREATE TABLE punch (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  lane_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  boot_id INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  card TEXT NOT NULL,
  direction TEXT NOT NULL,
  standing TEXT NOT NULL,
  chosen TEXT NOT NULL,
  technology TEXT NOT NULL,
  UNIQUE (lane_id, seq),
  -- The same tap under another name: a device whose disk was put back from a copy offers it again in a new spool.
  UNIQUE (boot_id, mono_ms, card)
);
CREATE INDEX punch_device ON punch (device_id);

CREATE TABLE alarm (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  detail TEXT NOT NULL,
  begun_ms INTEGER NOT NULL,
  ended_ms INTEGER
);
CREATE INDEX alarm_device ON alarm (device_id, name);

CREATE TABLE dropped (
  device_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (device_id, kind)
) WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  lane_id INTEGER,
  seq INTEGER,
  kind TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw BLOB NOT NULL,
  received_ms INTEGER NOT NULL
);
CREATE INDEX quarantine_device ON quarantine (device_id);

CREATE TABLE unreadable (device_id INTEGER PRIMARY KEY, n INTEGER NOT NULL)
"""


def event_table(month: str) -> str:
    """The statement that makes a month's event table if it is not there."""
    return f"""CREATE TABLE IF NOT EXISTS event_{month} (
      id INTEGER PRIMARY KEY,
      lane_id INTEGER NOT NULL,
      seq INTEGER NOT NULL,
      kind_id INTEGER NOT NULL,
      boot_id INTEGER NOT NULL,
      mono_ms INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      clock INTEGER NOT NULL,
      received_ms INTEGER NOT NULL,
      body BLOB NOT NULL
    )"""
