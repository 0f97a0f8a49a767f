"""Tables of papers: what a device is to know of a kind, sealed and signed (`hub/papers/`).

1. One row a device and kind: the newest that was made. `touched` is the state of the kind's mark it was made from.
2. `paper_report` is what the device says it goes by.
"""

TABLES = """
CREATE TABLE paper (
  device_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  digest TEXT NOT NULL,
  key_name TEXT NOT NULL,
  touched INTEGER NOT NULL,
  message BLOB NOT NULL,
  made_ms INTEGER NOT NULL,
  PRIMARY KEY (device_id, kind)
) WITHOUT ROWID;

CREATE TABLE paper_report (
  device_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  result TEXT NOT NULL,
  error TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (device_id, kind)
) WITHOUT ROWID;

CREATE TABLE paper_state (
  kind TEXT PRIMARY KEY,
  touched INTEGER NOT NULL DEFAULT 0,
  tried INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID
"""
