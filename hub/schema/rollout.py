"""Tables of roll-outs.

A document is kept once, under the SHA-256 of its canonical bytes, as it was when the roll-out was made.
"""

TABLES = """
CREATE TABLE rollout (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  status TEXT NOT NULL,
  plan TEXT NOT NULL,
  stage INTEGER NOT NULL DEFAULT 0,
  stage_ms INTEGER NOT NULL DEFAULT 0,
  made_by TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  approved_by TEXT NOT NULL DEFAULT '',
  changed_by TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
);
CREATE INDEX rollout_status ON rollout (status);

CREATE TABLE rollout_document (
  hash TEXT PRIMARY KEY,
  body TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE rollout_device (
  rollout_id INTEGER NOT NULL,
  device_id INTEGER NOT NULL,
  place TEXT NOT NULL,
  stage INTEGER NOT NULL,
  old_hash TEXT NOT NULL,
  new_hash TEXT NOT NULL,
  known TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  why TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '',
  released_ms INTEGER NOT NULL DEFAULT 0,
  generation INTEGER NOT NULL DEFAULT 0,
  ended_ms INTEGER NOT NULL DEFAULT 0,
  back_ms INTEGER NOT NULL DEFAULT 0,
  back_generation INTEGER NOT NULL DEFAULT 0,
  faulty INTEGER NOT NULL DEFAULT 0,
  late INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (rollout_id, device_id)
) WITHOUT ROWID;
CREATE INDEX rollout_device_device ON rollout_device (device_id);

CREATE TABLE rollout_event (
  id INTEGER PRIMARY KEY,
  rollout_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  device TEXT NOT NULL,
  why TEXT NOT NULL,
  detail TEXT NOT NULL
);
CREATE INDEX rollout_event_rollout ON rollout_event (rollout_id)
"""
