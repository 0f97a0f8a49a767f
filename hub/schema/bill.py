"""Tables of the carrier's bills, and of what tablets counted themselves.

1. A bill is a month of one carrier, imported whole or not at all; its rows stay as they came.
2. `line_month_usage` is a cache of the fold of samples (`hub/tablet/metering.py`) and equals it.
"""

TABLES = """
CREATE TABLE bill (
  id INTEGER PRIMARY KEY,
  carrier TEXT NOT NULL,
  month TEXT NOT NULL,
  number TEXT NOT NULL DEFAULT '',
  due_day TEXT NOT NULL DEFAULT '',
  ex_tax_yen INTEGER NOT NULL,
  tax_yen INTEGER NOT NULL,
  total_yen INTEGER NOT NULL,
  file_name TEXT NOT NULL,
  file_hash TEXT NOT NULL,
  layout TEXT NOT NULL,
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  withdrawn_ms INTEGER
);
CREATE UNIQUE INDEX bill_month ON bill (carrier, month) WHERE withdrawn_ms IS NULL;

CREATE TABLE bill_line (
  bill_id INTEGER NOT NULL REFERENCES bill(id),
  n INTEGER NOT NULL,
  phone TEXT NOT NULL,
  iccid TEXT NOT NULL DEFAULT '',
  line_id INTEGER,
  items TEXT NOT NULL,
  used_bytes INTEGER,
  ex_tax_yen INTEGER NOT NULL,
  tax_yen INTEGER NOT NULL,
  total_yen INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  expected_yen INTEGER,
  difference_yen INTEGER NOT NULL DEFAULT 0,
  expected TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (bill_id, n)
) WITHOUT ROWID;
CREATE INDEX bill_line_line ON bill_line (line_id);

-- What a person decided on a difference.
CREATE TABLE bill_difference (
  bill_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  decided TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL,
  decided_ms INTEGER NOT NULL,
  PRIMARY KEY (bill_id, n)
) WITHOUT ROWID;

CREATE TABLE bill_layout (
  code TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Samples of lent tablets, by (device, interface, boot, record): what the months are folded from.
CREATE TABLE usage_sample (
  device_id INTEGER NOT NULL,
  interface TEXT NOT NULL,
  boot TEXT NOT NULL,
  seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  link TEXT NOT NULL,
  sim TEXT NOT NULL DEFAULT '',
  bits INTEGER NOT NULL DEFAULT 64,
  total_bytes INTEGER NOT NULL,
  PRIMARY KEY (device_id, interface, boot, seq)
) WITHOUT ROWID;

CREATE TABLE usage_month (
  device_id INTEGER NOT NULL,
  sim TEXT NOT NULL,
  link TEXT NOT NULL,
  month TEXT NOT NULL,
  used_bytes INTEGER NOT NULL,
  flags TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (device_id, sim, link, month)
) WITHOUT ROWID
"""
