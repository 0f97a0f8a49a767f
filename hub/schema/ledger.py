"""Tables of the ledger: entries of legs, whole yen, only ever added; what is closed takes nothing more.

1. The database itself refuses to change or to delete an entry, a leg or a closing (triggers).
2. `key` is what an entry is known by to whoever posts it: the same once more posts nothing (`content_hash`).
3. `hash` chains an entry to the one before it, in a byte form that is frozen (`hub/waiver/ledger.py`).
   `posting_hash` stands for what it says wherever it was written: what a closing is made of.
4. `area` is what is closed together: `line` (fees and waivers of lines) or `benefit`.  `month` is the month that an
   entry is booked in, `effective_day` the day it is about, `booked_ms` when it was written.
5. A leg keeps the phone number and the resident's number as they were when it was written: the ledger can be read and
   verified without the registers, which change.
6. Who approves is never who entered: the database refuses that too.
"""

TABLES = """
CREATE TABLE ledger_entry (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  content_hash BLOB NOT NULL,
  posting_hash BLOB NOT NULL,
  kind TEXT NOT NULL,
  area TEXT NOT NULL,
  month TEXT NOT NULL,
  effective_day TEXT NOT NULL,
  booked_ms INTEGER NOT NULL,
  entered_by TEXT NOT NULL,
  approved_by TEXT NOT NULL DEFAULT '',
  reverses INTEGER UNIQUE REFERENCES ledger_entry(seq),
  corrects INTEGER REFERENCES ledger_entry(seq),
  note TEXT NOT NULL DEFAULT '',
  prev BLOB NOT NULL,
  hash BLOB NOT NULL
);
CREATE INDEX ledger_entry_month ON ledger_entry (area, month);

CREATE TABLE ledger_leg (
  entry_seq INTEGER NOT NULL REFERENCES ledger_entry(seq),
  n INTEGER NOT NULL,
  account TEXT NOT NULL,
  -- Debits above zero, credits below.
  yen INTEGER NOT NULL,
  line_id INTEGER NOT NULL DEFAULT 0,
  phone TEXT NOT NULL DEFAULT '',
  resident_id INTEGER NOT NULL DEFAULT 0,
  resident TEXT NOT NULL DEFAULT '',
  ground TEXT NOT NULL DEFAULT '',
  decision TEXT NOT NULL DEFAULT '',
  budget_code TEXT NOT NULL DEFAULT '',
  fiscal_year INTEGER NOT NULL,
  -- The month of use that the yen belong to: what stands open is open for a month.
  of_month TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (entry_seq, n)
) WITHOUT ROWID;
CREATE INDEX ledger_leg_resident ON ledger_leg (resident_id, entry_seq) WHERE resident_id <> 0;
CREATE INDEX ledger_leg_line ON ledger_leg (line_id, of_month) WHERE line_id <> 0;
CREATE INDEX ledger_leg_month ON ledger_leg (of_month) WHERE of_month <> '';
CREATE INDEX ledger_entry_corrects ON ledger_entry (corrects) WHERE corrects IS NOT NULL;

-- Sums that are kept beside the legs and equal them (`ledger_sums.py`): accounts by month, and what stands open.
CREATE TABLE ledger_sum (
  area TEXT NOT NULL,
  month TEXT NOT NULL,
  account TEXT NOT NULL,
  fiscal_year INTEGER NOT NULL,
  yen INTEGER NOT NULL,
  PRIMARY KEY (area, month, account, fiscal_year)
) WITHOUT ROWID;
CREATE TABLE ledger_open (
  resident_id INTEGER NOT NULL,
  line_id INTEGER NOT NULL,
  of_month TEXT NOT NULL,
  yen INTEGER NOT NULL,
  fiscal_year INTEGER NOT NULL,
  budget_code TEXT NOT NULL,
  PRIMARY KEY (resident_id, line_id, of_month)
) WITHOUT ROWID;
CREATE INDEX ledger_open_due ON ledger_open (resident_id, of_month) WHERE yen <> 0;

CREATE TABLE ledger_close (
  area TEXT NOT NULL,
  month TEXT NOT NULL,
  through_seq INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  chain_hash TEXT NOT NULL,
  closed_ms INTEGER NOT NULL,
  closed_by TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  PRIMARY KEY (area, month)
) WITHOUT ROWID;

CREATE TRIGGER ledger_entry_stays BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never deleted'); END;
CREATE TRIGGER ledger_leg_stays BEFORE UPDATE ON ledger_leg
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
CREATE TRIGGER ledger_leg_kept BEFORE DELETE ON ledger_leg
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never deleted'); END;
CREATE TRIGGER ledger_close_stays BEFORE UPDATE ON ledger_close
BEGIN SELECT RAISE(ABORT, 'a closed month stays closed'); END;
CREATE TRIGGER ledger_close_kept BEFORE DELETE ON ledger_close
BEGIN SELECT RAISE(ABORT, 'a closed month stays closed'); END;
-- INSERT OR REPLACE deletes without asking the triggers above: it is refused beforehand.
CREATE TRIGGER ledger_entry_next BEFORE INSERT ON ledger_entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger_entry)
  OR EXISTS (SELECT 1 FROM ledger_entry WHERE key = NEW.key)
  OR EXISTS (SELECT 1 FROM ledger_entry WHERE reverses = NEW.reverses)
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed: one follows the other, each key once'); END;
CREATE TRIGGER ledger_leg_next BEFORE INSERT ON ledger_leg
WHEN EXISTS (SELECT 1 FROM ledger_leg WHERE entry_seq = NEW.entry_seq AND n = NEW.n)
BEGIN SELECT RAISE(ABORT, 'an entry of the ledger is never changed'); END;
CREATE TRIGGER ledger_close_next BEFORE INSERT ON ledger_close
WHEN EXISTS (SELECT 1 FROM ledger_close WHERE area = NEW.area AND month >= NEW.month)
BEGIN SELECT RAISE(ABORT, 'a closed month stays closed'); END;
CREATE TRIGGER ledger_entry_closed BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_close WHERE area = NEW.area AND month >= NEW.month)
BEGIN SELECT RAISE(ABORT, 'a closed month takes no entry'); END;

CREATE TRIGGER ledger_entry_two_people BEFORE INSERT ON ledger_entry
WHEN NEW.approved_by = NEW.entered_by
BEGIN SELECT RAISE(ABORT, 'who enters does not approve'); END;
CREATE TRIGGER ledger_close_two_people BEFORE INSERT ON ledger_close
WHEN NEW.approved_by IN ('', NEW.closed_by)
BEGIN SELECT RAISE(ABORT, 'who closes a month does not approve it'); END;

-- What a resident paid, as it was entered or imported.  What was taken back can be entered once more: `n` counts.
CREATE TABLE receipt (
  id INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  n INTEGER NOT NULL,
  entry_seq INTEGER NOT NULL UNIQUE REFERENCES ledger_entry(seq),
  resident_id INTEGER NOT NULL,
  line_id INTEGER NOT NULL DEFAULT 0,
  of_month TEXT NOT NULL DEFAULT '',
  day TEXT NOT NULL,
  yen INTEGER NOT NULL,
  way TEXT NOT NULL DEFAULT '',
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  UNIQUE (reference, n)
);
CREATE INDEX receipt_resident ON receipt (resident_id);
CREATE TRIGGER receipt_stays BEFORE UPDATE ON receipt
BEGIN SELECT RAISE(ABORT, 'a receipt is never changed, but taken back'); END;
CREATE TRIGGER receipt_kept BEFORE DELETE ON receipt
BEGIN SELECT RAISE(ABORT, 'a receipt is never deleted, but taken back'); END;

CREATE TRIGGER receipt_next BEFORE INSERT ON receipt
WHEN EXISTS (SELECT 1 FROM receipt WHERE id = NEW.id OR entry_seq = NEW.entry_seq
  OR (reference = NEW.reference AND n = NEW.n))
BEGIN SELECT RAISE(ABORT, 'a receipt is never changed, but taken back'); END;

-- Letters that reminded a resident of what stood open: `open` is JSON, [phone, month of use, yen] each.
CREATE TABLE reminder (
  id INTEGER PRIMARY KEY,
  resident_id INTEGER NOT NULL,
  day TEXT NOT NULL,
  pay_by_day TEXT NOT NULL,
  yen INTEGER NOT NULL,
  open TEXT NOT NULL,
  printed_by TEXT NOT NULL,
  printed_ms INTEGER NOT NULL
);
CREATE INDEX reminder_resident ON reminder (resident_id)
"""
