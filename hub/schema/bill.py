"""Tables of the carrier's bills, and of what tablets counted themselves.

1. A bill is a month of one carrier (of one contract, where a carrier sends several), imported whole or not at all; its
   rows stay as they came. A withdrawn one stays too, and makes room for another.
2. What a person decided on a difference is only added; `asked` may be followed by an end, an end by nothing.
3. `usage_month` is a cache of the fold of samples (`hub/tablet/metering.py`) and equals it: bytes where `what` is `sim`
   or `wifi`, else how many steps have that flag; `begins` counts the series that begin in a month.
4. A sample's place is (lane, seq): lanes are numbered as they first came, so that a device with a fresh disk, which
   counts from 1 again, goes on behind what it sent before.
"""

TABLES = """
CREATE TABLE bill (
  id INTEGER PRIMARY KEY,
  carrier TEXT NOT NULL,
  month TEXT NOT NULL,
  number TEXT NOT NULL DEFAULT '',
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
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

-- `items` are the charges as JSON; `expected` is how the expected amount came about. A row that a bill should have and
-- has not (MISSING_LINE) stands behind those that came.
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
  verdict TEXT NOT NULL CHECK (verdict IN
    ('OK', 'OVERBILLED', 'UNDERBILLED', 'UNKNOWN_LINE', 'MISSING_LINE', 'RATE_CHANGED')),
  expected_yen INTEGER,
  difference_yen INTEGER NOT NULL DEFAULT 0,
  expected TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (bill_id, n)
) WITHOUT ROWID;
CREATE INDEX bill_line_line ON bill_line (line_id);

-- The file as it came, deflated: what an auditor asks for, and what a bill is judged from anew.
CREATE TABLE bill_file (
  bill_id INTEGER PRIMARY KEY REFERENCES bill(id),
  content BLOB NOT NULL
);

-- `accepted`: the bill is right; `credit`: the carrier takes it back; `asked`: the carrier was asked, it stays open.
CREATE TABLE bill_difference (
  id INTEGER PRIMARY KEY,
  bill_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  decided TEXT NOT NULL CHECK (decided IN ('accepted', 'credit', 'asked')),
  day TEXT NOT NULL,
  note TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL,
  decided_ms INTEGER NOT NULL,
  FOREIGN KEY (bill_id, n) REFERENCES bill_line(bill_id, n)
);
CREATE INDEX bill_difference_line ON bill_difference (bill_id, n);
CREATE UNIQUE INDEX bill_difference_end ON bill_difference (bill_id, n) WHERE decided <> 'asked';
CREATE TRIGGER bill_difference_stays BEFORE UPDATE ON bill_difference
BEGIN SELECT RAISE(ABORT, 'what was decided on a difference stays'); END;
CREATE TRIGGER bill_difference_kept BEFORE DELETE ON bill_difference
BEGIN SELECT RAISE(ABORT, 'what was decided on a difference stays'); END;
-- INSERT OR REPLACE deletes without asking a trigger of DELETE.
CREATE TRIGGER bill_difference_once BEFORE INSERT ON bill_difference
WHEN EXISTS (SELECT 1 FROM bill_difference WHERE id = NEW.id OR (bill_id = NEW.bill_id AND n = NEW.n
  AND decided <> 'asked' AND NEW.decided <> 'asked'))
BEGIN SELECT RAISE(ABORT, 'what was decided on a difference stays'); END;

CREATE TABLE bill_layout (
  code TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Samples of lent tablets: what the months are folded from. `clock` as everywhere: 0 synced, 1 held, 2 unset.
CREATE TABLE usage_sample (
  device_id INTEGER NOT NULL,
  interface TEXT NOT NULL,
  lane_id INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  boot_id INTEGER NOT NULL,
  at_ms INTEGER NOT NULL,
  mono_ms INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  link TEXT NOT NULL,
  sim TEXT NOT NULL DEFAULT '',
  bits INTEGER NOT NULL DEFAULT 64,
  total_bytes INTEGER NOT NULL,
  is_last INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (device_id, interface, lane_id, seq)
) WITHOUT ROWID;

CREATE TABLE usage_month (
  device_id INTEGER NOT NULL,
  month TEXT NOT NULL,
  sim TEXT NOT NULL,
  what TEXT NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (device_id, month, sim, what)
) WITHOUT ROWID;
CREATE INDEX usage_month_month ON usage_month (month);

-- From where to where the samples of a month stand in a device's order: a part of a month is folded from these alone.
CREATE TABLE usage_span (
  device_id INTEGER NOT NULL,
  month TEXT NOT NULL,
  first_lane INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  last_lane INTEGER NOT NULL,
  last_seq INTEGER NOT NULL,
  PRIMARY KEY (device_id, month)
) WITHOUT ROWID
"""
