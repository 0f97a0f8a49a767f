"""Tables of ordered and actual settings.

A document is kept once, under the SHA-256 of its canonical bytes: many devices have the same.
"""

TABLES = """
CREATE TABLE policy_group (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  rank INTEGER NOT NULL DEFAULT 5,
  document TEXT NOT NULL DEFAULT '{}',
  changed_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  UNIQUE (kind, name)
);

CREATE TABLE policy_group_history (
  id INTEGER PRIMARY KEY,
  group_id INTEGER NOT NULL,
  document TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);
CREATE INDEX policy_group_history_group ON policy_group_history (group_id);

CREATE TABLE device_layer (
  device_id INTEGER PRIMARY KEY,
  document TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);

CREATE TABLE policy_document (
  hash TEXT PRIMARY KEY,
  body TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE desired (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  hash TEXT NOT NULL,
  digest TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  message BLOB NOT NULL
);

CREATE TABLE generation (
  device_id INTEGER NOT NULL,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  hash TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (device_id, incarnation, generation)
) WITHOUT ROWID;
CREATE INDEX generation_made ON generation (made_ms);

CREATE TABLE policy_report (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  seen INTEGER NOT NULL,
  applied INTEGER NOT NULL,
  result TEXT NOT NULL,
  error TEXT NOT NULL,
  digest TEXT NOT NULL,
  drift TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  boot TEXT NOT NULL
);

CREATE TABLE policy_told (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  seen INTEGER NOT NULL,
  at_ms INTEGER NOT NULL
)
"""
