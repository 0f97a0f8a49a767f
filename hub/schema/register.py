"""Tables of the registers of waivers: residents, lines, who uses which, tariffs, rules, applications and decisions.

1. Days are text, YYYY-MM-DD, months YYYY-MM, as the calendar in Japan has them; an empty `to_day` is open. `to_day` is
   the last day that counts.
2. A resident is a number; a name is kept only where the town keeps names (`inventory_setting.names_kept`).
3. Tariffs and waiver rules are dated data: `body` is JSON as `hub/waiver/rules/profile.py` reads it.  A version that a
   closed month went by is never changed; a new one begins with a later month.
4. What was asked and what was decided are rows that are only added (`waiver_application`, `waiver_decision`); what
   holds now is their fold.  Who entered an application does not decide on it: the table refuses it too.
5. Thing and loan are the inventory's (`item`, `loan`); `line_use` says whose line it was from when to when.
"""

TABLES = """
CREATE TABLE resident (
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL DEFAULT '',
  district TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  from_day TEXT NOT NULL DEFAULT '',
  to_day TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
);
CREATE INDEX resident_district ON resident (district);

CREATE TABLE line (
  id INTEGER PRIMARY KEY,
  phone TEXT NOT NULL UNIQUE,
  iccid TEXT NOT NULL DEFAULT '',
  carrier TEXT NOT NULL DEFAULT '',
  budget_code TEXT NOT NULL DEFAULT '',
  from_day TEXT NOT NULL,
  to_day TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  changed_ms INTEGER NOT NULL
);
CREATE INDEX line_iccid ON line (iccid) WHERE iccid <> '';

-- Which tariff a line has, by month of use: the newest row whose month is not after it.
CREATE TABLE line_tariff (
  line_id INTEGER NOT NULL REFERENCES line(id),
  from_month TEXT NOT NULL,
  code TEXT NOT NULL,
  -- The price without a discount, tax inside, for rules that waive a share of it.
  list_price_yen INTEGER,
  PRIMARY KEY (line_id, from_month)
) WITHOUT ROWID;

CREATE TABLE line_use (
  id INTEGER PRIMARY KEY,
  line_id INTEGER NOT NULL REFERENCES line(id),
  resident_id INTEGER NOT NULL REFERENCES resident(id),
  item_id INTEGER REFERENCES item(id),
  loan_id INTEGER REFERENCES loan(id),
  from_day TEXT NOT NULL,
  to_day TEXT NOT NULL DEFAULT '',
  -- The moments of hand-over and return, for the counters; 0: not known to the minute.
  from_ms INTEGER NOT NULL DEFAULT 0,
  to_ms INTEGER NOT NULL DEFAULT 0,
  changed_ms INTEGER NOT NULL
);
CREATE INDEX line_use_line ON line_use (line_id, from_day);
CREATE INDEX line_use_resident ON line_use (resident_id, from_day);
CREATE INDEX line_use_item ON line_use (item_id);

CREATE TABLE tariff (
  code TEXT NOT NULL,
  from_month TEXT NOT NULL,
  to_month TEXT NOT NULL DEFAULT '',
  body TEXT NOT NULL,
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  PRIMARY KEY (code, from_month)
) WITHOUT ROWID;

CREATE TABLE waiver_rule (
  code TEXT NOT NULL,
  from_month TEXT NOT NULL,
  to_month TEXT NOT NULL DEFAULT '',
  name TEXT NOT NULL,
  clause TEXT NOT NULL,
  body TEXT NOT NULL,
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  PRIMARY KEY (code, from_month)
) WITHOUT ROWID;

-- `asks`: grant, change, end, revoke, renew; `of_id` is the grant that a change, an end … is about.
CREATE TABLE waiver_application (
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  asks TEXT NOT NULL CHECK (asks IN ('grant', 'change', 'end', 'revoke', 'renew')),
  of_id INTEGER REFERENCES waiver_application(id),
  resident_id INTEGER NOT NULL REFERENCES resident(id),
  line_id INTEGER REFERENCES line(id),
  rule TEXT NOT NULL,
  applied_day TEXT NOT NULL,
  -- When it was taken in at the office; some ordinances begin with that month.
  accepted_day TEXT NOT NULL DEFAULT '',
  -- A change, a renewal: its first day.  An end: the last day on which the ground was there.  A revocation: the first
  -- day without.  Empty for a grant: the rule says when it begins.
  from_day TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL
);
CREATE INDEX waiver_application_resident ON waiver_application (resident_id);
CREATE INDEX waiver_application_of ON waiver_application (of_id) WHERE of_id IS NOT NULL;

CREATE TABLE waiver_decision (
  application_id INTEGER PRIMARY KEY REFERENCES waiver_application(id),
  result TEXT NOT NULL CHECK (result IN ('granted', 'refused', 'withdrawn')),
  number TEXT NOT NULL,
  day TEXT NOT NULL,
  clause TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  until_day TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL,
  decided_ms INTEGER NOT NULL
);
CREATE UNIQUE INDEX waiver_decision_number ON waiver_decision (number) WHERE number <> '';

CREATE TRIGGER waiver_decision_by_another BEFORE INSERT ON waiver_decision
WHEN NEW.result <> 'withdrawn' AND NEW.decided_by =
  (SELECT entered_by FROM waiver_application WHERE id = NEW.application_id)
BEGIN SELECT RAISE(ABORT, 'who entered an application does not decide on it'); END;
CREATE TRIGGER waiver_decision_stays BEFORE UPDATE ON waiver_decision
BEGIN SELECT RAISE(ABORT, 'a decision stays as it was taken'); END;
CREATE TRIGGER waiver_decision_kept BEFORE DELETE ON waiver_decision
BEGIN SELECT RAISE(ABORT, 'a decision stays as it was taken'); END;
-- "INSERT OR REPLACE" deletes without asking a trigger of DELETE.
CREATE TRIGGER waiver_decision_once BEFORE INSERT ON waiver_decision
WHEN EXISTS (SELECT 1 FROM waiver_decision WHERE application_id = NEW.application_id
  OR (number = NEW.number AND NEW.number <> ''))
BEGIN SELECT RAISE(ABORT, 'a decision stays as it was taken: its application or its number is decided'); END;
CREATE TRIGGER waiver_application_once BEFORE INSERT ON waiver_application
WHEN EXISTS (SELECT 1 FROM waiver_application WHERE id = NEW.id OR number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'an application stays as it was entered: its number is there'); END;
CREATE TRIGGER waiver_application_stays BEFORE UPDATE ON waiver_application
BEGIN SELECT RAISE(ABORT, 'an application stays as it was entered'); END;
CREATE TRIGGER waiver_application_kept BEFORE DELETE ON waiver_application
BEGIN SELECT RAISE(ABORT, 'an application stays as it was entered'); END;

-- Whether a ground still holds, asked each July: `result` empty while it is open.
CREATE TABLE eligibility_check (
  application_id INTEGER NOT NULL REFERENCES waiver_application(id),
  year INTEGER NOT NULL,
  result TEXT NOT NULL DEFAULT '',
  checked_by TEXT NOT NULL DEFAULT '',
  checked_ms INTEGER NOT NULL DEFAULT 0,
  note TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (application_id, year)
) WITHOUT ROWID;

-- What letters of decision say of the town: one row, as JSON.
CREATE TABLE waiver_letter (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  body TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_ms INTEGER NOT NULL
)
"""
