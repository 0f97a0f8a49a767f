"""Tables of what is to go to devices (see `hub/fleet/outbox.py`)."""

TABLES = """
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device(id),
  what TEXT NOT NULL,
  ref TEXT NOT NULL,
  message BLOB NOT NULL,
  not_after_ms INTEGER NOT NULL,
  despite_hold INTEGER NOT NULL DEFAULT 0,
  made_ms INTEGER NOT NULL,
  sent_to TEXT NOT NULL DEFAULT '',
  sent_ms INTEGER,
  UNIQUE (device_id, what, ref)
);
CREATE INDEX outbox_end ON outbox (not_after_ms);

CREATE TABLE hold (
  device_id INTEGER PRIMARY KEY REFERENCES device(id),
  reason TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  who TEXT NOT NULL
)
"""
