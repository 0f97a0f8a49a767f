"""Tables of inventory and loans.

1. `device_fact` is what a device says of itself; `item` is what a person knows of a thing, with or without a device.
2. Days are text, YYYY-MM-DD, as the calendar in Japan has them; empty when nobody knows.
3. A loan is never changed once it has ended; who has a thing now is its one loan without `returned`.
"""

TABLES = """
CREATE TABLE device_fact (
  device_id INTEGER PRIMARY KEY,
  model TEXT NOT NULL,
  serial TEXT NOT NULL,
  system TEXT NOT NULL,
  version TEXT NOT NULL,
  wear_permille INTEGER,
  battery_permille INTEGER,
  battery_cycles INTEGER,
  certificate_end_ms INTEGER,
  told_ms INTEGER NOT NULL
);
CREATE INDEX device_fact_serial ON device_fact (serial) WHERE serial != '';

CREATE TABLE item (
  id INTEGER PRIMARY KEY,
  device_id INTEGER UNIQUE,
  asset TEXT NOT NULL DEFAULT '',
  serial TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '',
  model TEXT NOT NULL DEFAULT '',
  place TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  bought TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX item_asset ON item (asset) WHERE asset != '';
CREATE UNIQUE INDEX item_serial ON item (serial) WHERE serial != '';
CREATE INDEX item_place ON item (place);

CREATE TABLE item_tag (
  item_id INTEGER NOT NULL REFERENCES item(id),
  tag TEXT NOT NULL,
  PRIMARY KEY (item_id, tag)
) WITHOUT ROWID;
CREATE INDEX item_tag_tag ON item_tag (tag);

CREATE TABLE loan (
  id INTEGER PRIMARY KEY,
  item_id INTEGER NOT NULL REFERENCES item(id),
  number TEXT NOT NULL,
  -- Empty unless the town keeps names.
  name TEXT NOT NULL DEFAULT '',
  since TEXT NOT NULL,
  until TEXT NOT NULL,
  returned TEXT,
  condition TEXT NOT NULL DEFAULT '',
  lent_by TEXT NOT NULL,
  returned_to TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX loan_open ON loan (item_id) WHERE returned IS NULL;
CREATE INDEX loan_item ON loan (item_id);

-- One row, when somebody has chosen.
CREATE TABLE inventory_setting (id INTEGER PRIMARY KEY CHECK (id = 1), names_kept INTEGER NOT NULL);

-- An import that was looked at and waits for its "do it"; gone after an hour.
CREATE TABLE import_draft (
  token TEXT PRIMARY KEY,
  who TEXT NOT NULL,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- The lists of devices look for what is open among all that ever was.
CREATE INDEX alarm_open ON alarm (device_id) WHERE ended_ms IS NULL
"""
