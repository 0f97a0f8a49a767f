"""Tables of alerts: what is or was wrong, who is told of it, and what was told."""

TABLES = """
CREATE TABLE alert (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  -- A device's name, a place, the number of a roll-out, empty for the town.
  subject TEXT NOT NULL,
  device TEXT NOT NULL,
  place TEXT NOT NULL,
  detail TEXT NOT NULL,
  n INTEGER NOT NULL,
  begun_ms INTEGER NOT NULL,
  noticed_ms INTEGER NOT NULL,
  times INTEGER NOT NULL DEFAULT 1,
  calm_ms INTEGER,
  ended_ms INTEGER,
  -- When the hub saw that it had ended: the hold-down lies between the two.
  closed_ms INTEGER,
  -- 0 nobody was told, 1 its beginning was told, 2 nothing is left to tell.
  told INTEGER NOT NULL DEFAULT 0,
  hushed_until_ms INTEGER,
  hushed_by TEXT NOT NULL DEFAULT '',
  taken_ms INTEGER,
  taken_by TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX alert_open ON alert (kind, subject) WHERE ended_ms IS NULL;
CREATE INDEX alert_untold ON alert (told) WHERE told < 2;
CREATE INDEX alert_device ON alert (device);
CREATE INDEX alert_ended ON alert (ended_ms);

CREATE TABLE alert_target (
  id INTEGER PRIMARY KEY,
  -- Where its address lies in the file beside the database (`addresses.py`), never the address itself.
  ref TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  way TEXT NOT NULL,
  shown TEXT NOT NULL,
  language TEXT NOT NULL,
  urgent_only INTEGER NOT NULL,
  place TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  last_ok_ms INTEGER,
  last_failed_ms INTEGER,
  last_error TEXT NOT NULL DEFAULT ''
);

CREATE TABLE alert_message (
  id INTEGER PRIMARY KEY,
  target_id INTEGER NOT NULL REFERENCES alert_target(id),
  title TEXT NOT NULL,
  body TEXT NOT NULL,
  urgent INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  next_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  sent_ms INTEGER,
  given_up_ms INTEGER,
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX alert_message_due ON alert_message (next_ms) WHERE sent_ms IS NULL AND given_up_ms IS NULL;
CREATE INDEX alert_message_target ON alert_message (target_id);

-- One row: the settings as JSON (`settings.py` tells the fields).
CREATE TABLE alert_setting (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);

-- One row: the last copy of the database that was made.
CREATE TABLE backup (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL, bytes INTEGER NOT NULL)
"""
