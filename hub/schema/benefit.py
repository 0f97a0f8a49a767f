"""Tables of small benefits on a card (taxi vouchers and the like).

1. Units are whole. A grant and a use are rows that are only added; what is left is their fold
   (`hub/benefit/benefit.py`).
2. A grant counts once a second person has approved it; the table refuses the person who entered it.
3. An allowance is what a device may take on its own: `limit_units` in all under `id`, until `until_ms`.  There is one a
   device, benefit and resident, whichever card.  `used_units` is what the device says it has taken, `bound_units` the
   largest limit that it may still go by: their difference is the bound of what it may take unheard (exposure).  `mark`
   is the mark of the papers that told the newest limit (`paper_state.touched`).
4. A use counts once by (device, use).  `ledger_seq` is its entry in the ledger, 0 for a benefit without a price.
"""

TABLES = """
CREATE TABLE benefit (
  code TEXT PRIMARY KEY,
  name_ja TEXT NOT NULL,
  name_en TEXT NOT NULL,
  unit_ja TEXT NOT NULL,
  unit_en TEXT NOT NULL,
  unit_yen INTEGER NOT NULL,
  budget_code TEXT NOT NULL DEFAULT '',
  -- At most so many units a device, for so many days without the hub.
  offline_units INTEGER NOT NULL,
  offline_days INTEGER NOT NULL,
  from_day TEXT NOT NULL,
  to_day TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE benefit_card (
  card TEXT PRIMARY KEY,
  resident_id INTEGER NOT NULL REFERENCES resident(id),
  given_ms INTEGER NOT NULL,
  taken_back_ms INTEGER
) WITHOUT ROWID;
CREATE INDEX benefit_card_resident ON benefit_card (resident_id);

CREATE TABLE benefit_grant (
  id INTEGER PRIMARY KEY,
  benefit TEXT NOT NULL REFERENCES benefit(code),
  resident_id INTEGER NOT NULL REFERENCES resident(id),
  units INTEGER NOT NULL CHECK (units > 0),
  day TEXT NOT NULL,
  until_day TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  -- Empty while it waits for a second person.
  result TEXT NOT NULL DEFAULT '' CHECK (result IN ('', 'approved', 'refused')),
  approved_by TEXT NOT NULL DEFAULT '',
  approved_ms INTEGER,
  -- The last day that it counts, where it was ended early.
  ended_day TEXT NOT NULL DEFAULT ''
);
CREATE INDEX benefit_grant_resident ON benefit_grant (resident_id);
CREATE INDEX benefit_grant_open ON benefit_grant (entered_ms) WHERE result = '';

CREATE TRIGGER benefit_grant_by_another BEFORE UPDATE ON benefit_grant
WHEN NEW.result = 'approved' AND NEW.approved_by IN ('', NEW.entered_by)
BEGIN SELECT RAISE(ABORT, 'who entered a grant does not approve it'); END;
CREATE TRIGGER benefit_grant_begins_open BEFORE INSERT ON benefit_grant
WHEN NEW.result <> ''
BEGIN SELECT RAISE(ABORT, 'a grant is approved after it was entered'); END;
CREATE TRIGGER benefit_grant_stays BEFORE UPDATE ON benefit_grant
WHEN OLD.result <> '' AND (NEW.result, NEW.benefit, NEW.resident_id, NEW.units, NEW.day, NEW.until_day, NEW.entered_by,
  NEW.approved_by) IS NOT (OLD.result, OLD.benefit, OLD.resident_id, OLD.units, OLD.day, OLD.until_day, OLD.entered_by,
  OLD.approved_by)
BEGIN SELECT RAISE(ABORT, 'a decision on a grant stays as it was taken'); END;
CREATE TRIGGER benefit_grant_kept BEFORE DELETE ON benefit_grant
BEGIN SELECT RAISE(ABORT, 'a grant is never deleted'); END;
-- INSERT OR REPLACE deletes without asking a trigger of DELETE.
CREATE TRIGGER benefit_grant_once BEFORE INSERT ON benefit_grant
WHEN EXISTS (SELECT 1 FROM benefit_grant WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a grant is never replaced'); END;

CREATE TABLE benefit_allowance (
  id TEXT PRIMARY KEY,
  device_id INTEGER NOT NULL,
  benefit TEXT NOT NULL,
  resident_id INTEGER NOT NULL,
  limit_units INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  used_units INTEGER NOT NULL DEFAULT 0,
  bound_units INTEGER NOT NULL,
  mark INTEGER NOT NULL,
  balance_units INTEGER NOT NULL DEFAULT 0,
  changed_ms INTEGER NOT NULL,
  UNIQUE (device_id, benefit, resident_id)
) WITHOUT ROWID;
CREATE INDEX benefit_allowance_resident ON benefit_allowance (resident_id, benefit);

CREATE TABLE benefit_use (
  device_id INTEGER NOT NULL,
  use TEXT NOT NULL,
  allowance TEXT NOT NULL,
  benefit TEXT NOT NULL,
  resident_id INTEGER NOT NULL,
  units INTEGER NOT NULL,
  used INTEGER NOT NULL,
  takes_back TEXT NOT NULL DEFAULT '',
  at_ms INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  trouble TEXT NOT NULL DEFAULT '',
  seen_ms INTEGER,
  seen_by TEXT NOT NULL DEFAULT '',
  ledger_seq INTEGER,
  PRIMARY KEY (device_id, use)
) WITHOUT ROWID;
CREATE INDEX benefit_use_resident ON benefit_use (resident_id, benefit);
CREATE INDEX benefit_use_trouble ON benefit_use (arrived_ms) WHERE trouble <> '' AND seen_ms IS NULL;
CREATE INDEX benefit_use_unbooked ON benefit_use (arrived_ms) WHERE ledger_seq IS NULL;
-- A use is taken back once, at its device or at the hub.
CREATE UNIQUE INDEX benefit_use_once_back ON benefit_use (device_id, takes_back) WHERE takes_back <> '';

-- A use that an officer took back at the hub.
CREATE TABLE benefit_take_back (
  device_id INTEGER NOT NULL,
  use TEXT NOT NULL,
  reason TEXT NOT NULL,
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  ledger_seq INTEGER,
  PRIMARY KEY (device_id, use)
) WITHOUT ROWID
"""
