"""Tables of copied devices (see `hub/fleet/clone.py`)."""

TABLES = """
CREATE TABLE run (device_id INTEGER PRIMARY KEY, runs TEXT NOT NULL);

CREATE TABLE lane_boot (
  lane_id INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  boot_id INTEGER NOT NULL,
  PRIMARY KEY (lane_id, first_seq)
) WITHOUT ROWID;

CREATE TABLE clone_cursor (
  device_id INTEGER NOT NULL,
  run TEXT NOT NULL,
  spool TEXT NOT NULL,
  lane TEXT NOT NULL,
  through INTEGER NOT NULL,
  PRIMARY KEY (device_id, run, spool, lane)
) WITHOUT ROWID;

CREATE TABLE clone_record (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  run TEXT NOT NULL,
  spool TEXT NOT NULL,
  lane TEXT NOT NULL,
  seq INTEGER NOT NULL,
  boot TEXT NOT NULL,
  mono_ms INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  kind TEXT NOT NULL,
  received_ms INTEGER NOT NULL,
  record BLOB NOT NULL,
  decided INTEGER NOT NULL DEFAULT 0,
  UNIQUE (device_id, spool, lane, seq, boot, mono_ms)
);
CREATE INDEX clone_record_decided ON clone_record (decided, device_id, spool, run, boot, lane, seq)
"""
