"""Tables of attendance besides the punches themselves.

1. Everything that counts is an entry: who, when, why; none is changed or taken away.  What a page shows is a fold.
2. A request (overtime order, leave, correction, swap, substitute day) is its body and the decisions on it, in order;
   the latest decision counts.  Who enters is not who approves.
3. A close is a snapshot: what each person's month came to, from which profile and holidays, under one hash.
4. Days are text, YYYY-MM-DD; months are text, YYYY-MM.
"""

TABLES = """
CREATE INDEX punch_card ON punch (card, at_ms);
-- Few: whose true time lies elsewhere than their raw time may.
CREATE INDEX punch_unset ON punch (card) WHERE clock != 0;
CREATE INDEX punch_unset_boot ON punch (boot_id) WHERE clock != 0;
CREATE INDEX punch_refused ON punch (received_ms) WHERE standing = 'refused';
-- The number, in the same lane, of the unsure tap that this one settles.
ALTER TABLE punch ADD COLUMN answers INTEGER;

-- Punches of other clocks, taken in from a file; at the time that stands there.
CREATE TABLE other_punch (
  id INTEGER PRIMARY KEY,
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  at_ms INTEGER NOT NULL,
  direction TEXT NOT NULL,
  source TEXT NOT NULL,
  row INTEGER NOT NULL,
  received_ms INTEGER NOT NULL,
  entered_by TEXT NOT NULL,
  UNIQUE (staff_id, at_ms, direction)
);

CREATE TABLE request (
  id INTEGER PRIMARY KEY,
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  kind TEXT NOT NULL,
  from_day TEXT NOT NULL,
  to_day TEXT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  entered_by TEXT NOT NULL
);
CREATE INDEX request_staff ON request (staff_id, from_day);
CREATE INDEX request_day ON request (from_day);

CREATE TABLE request_decision (
  id INTEGER PRIMARY KEY,
  request_id INTEGER NOT NULL REFERENCES request(id),
  decision TEXT NOT NULL,
  note TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);
CREATE INDEX request_decision_request ON request_decision (request_id, id);

-- Which nobody has decided yet; kept by the triggers below, equal to the fold of the decisions at any time.
CREATE TABLE request_waiting (request_id INTEGER PRIMARY KEY REFERENCES request(id));

CREATE TRIGGER request_waits AFTER INSERT ON request
BEGIN INSERT INTO request_waiting VALUES (NEW.id); END;

CREATE TRIGGER request_decided AFTER INSERT ON request_decision
BEGIN
  DELETE FROM request_waiting WHERE request_id = NEW.request_id;
  INSERT INTO request_waiting SELECT NEW.request_id WHERE NEW.decision = 'entered_again';
END;

-- Dated versions of the town's values; of one month's several the latest counts.
CREATE TABLE profile_version (
  id INTEGER PRIMARY KEY,
  from_month TEXT NOT NULL,
  body TEXT NOT NULL,
  note TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);

-- The town's word over the national calendar, day by day; the latest of a day counts ('' says nothing any more).
CREATE TABLE holiday_entry (
  id INTEGER PRIMARY KEY,
  day TEXT NOT NULL,
  says TEXT NOT NULL,
  name TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);
CREATE INDEX holiday_entry_day ON holiday_entry (day, id);

CREATE TABLE month_close (
  id INTEGER PRIMARY KEY,
  month TEXT NOT NULL,
  version INTEGER NOT NULL,
  hash TEXT NOT NULL,
  profile_hash TEXT NOT NULL,
  holiday_hash TEXT NOT NULL,
  -- Which rules of ours worked it out.
  engine TEXT NOT NULL,
  closed_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  note TEXT NOT NULL,
  UNIQUE (month, version)
);

CREATE TABLE month_close_staff (
  close_id INTEGER NOT NULL REFERENCES month_close(id),
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  hash TEXT NOT NULL,
  -- What the hash is over, canonical JSON, compressed (zlib); the same where nothing changed for this person.
  body BLOB NOT NULL,
  PRIMARY KEY (close_id, staff_id)
) WITHOUT ROWID;

-- What a later version of a closed month came to more or less, booked in the month that was open then.
CREATE TABLE adjustment (
  id INTEGER PRIMARY KEY,
  close_id INTEGER NOT NULL REFERENCES month_close(id),
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  booked_month TEXT NOT NULL,
  target_month TEXT NOT NULL,
  class TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  hours INTEGER NOT NULL,
  yen INTEGER NOT NULL
);
CREATE INDEX adjustment_booked ON adjustment (booked_month, staff_id);

-- Months as they were worked out last, and from what; a cache, equal to the fold at any time.
CREATE TABLE timesheet (
  staff_id INTEGER NOT NULL,
  month TEXT NOT NULL,
  inputs TEXT NOT NULL,
  -- Of what a close would write: tells a closed month that has changed without a look at the days.
  hash TEXT NOT NULL DEFAULT '',
  body BLOB NOT NULL,
  made_ms INTEGER NOT NULL,
  PRIMARY KEY (staff_id, month)
) WITHOUT ROWID;

-- What came since then.
CREATE TABLE timesheet_stale (
  staff_id INTEGER NOT NULL,
  month TEXT NOT NULL,
  PRIMARY KEY (staff_id, month)
) WITHOUT ROWID;

-- Layouts of payroll files that the town made or changed itself.
CREATE TABLE payroll_layout (
  name TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  who TEXT NOT NULL
) WITHOUT ROWID;

-- What a payroll gets instead of letters that it cannot take (外字): of a letter, or of a staff number's name.
CREATE TABLE payroll_letter (
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  written TEXT NOT NULL,
  changed_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  PRIMARY KEY (kind, what)
) WITHOUT ROWID;

-- Each file that left the house: of what, and its digest.
CREATE TABLE payroll_export (
  id INTEGER PRIMARY KEY,
  month TEXT NOT NULL,
  version INTEGER NOT NULL,
  layout TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  rows INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  who TEXT NOT NULL
);

CREATE TRIGGER request_stays BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'request is never changed'); END;

CREATE TRIGGER request_decision_stays BEFORE UPDATE ON request_decision
BEGIN SELECT RAISE(ABORT, 'request_decision is never changed'); END;

CREATE TRIGGER month_close_stays BEFORE UPDATE ON month_close
BEGIN SELECT RAISE(ABORT, 'month_close is never changed'); END;

CREATE TRIGGER month_close_is_kept BEFORE DELETE ON month_close
BEGIN SELECT RAISE(ABORT, 'month_close is never taken away'); END;

CREATE TRIGGER month_close_staff_stays BEFORE UPDATE ON month_close_staff
BEGIN SELECT RAISE(ABORT, 'month_close_staff is never changed'); END;

CREATE TRIGGER month_close_staff_is_kept BEFORE DELETE ON month_close_staff
BEGIN SELECT RAISE(ABORT, 'month_close_staff is never taken away'); END;

CREATE TRIGGER adjustment_stays BEFORE UPDATE ON adjustment
BEGIN SELECT RAISE(ABORT, 'adjustment is never changed'); END;

CREATE TRIGGER adjustment_is_kept BEFORE DELETE ON adjustment
BEGIN SELECT RAISE(ABORT, 'adjustment is never taken away'); END
"""
