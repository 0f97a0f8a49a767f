"""Tables of staff and cards.

1. A staff number is text: leading zeros are part of it.  A name is empty unless the town keeps names here.
2. Terms are dated: those of the latest `since` on or before a day count on it.  They are JSON of `hub/staff/terms.py`.
3. A card is a token (a keyed hash made on the terminal) in somebody's hands from a moment to a moment; a token that
   changes hands has two rows.  A lost card stays in the terminals' roster, to be refused.
4. Days are text, YYYY-MM-DD.
"""

TABLES = """
CREATE TABLE department (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  closed INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE staff (
  id INTEGER PRIMARY KEY,
  number TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL DEFAULT '',
  since TEXT NOT NULL,
  left_day TEXT,
  -- Who signs in as this person, if anybody does.
  person_id INTEGER UNIQUE REFERENCES person(id),
  changed_ms INTEGER NOT NULL
);

CREATE TABLE staff_terms (
  id INTEGER PRIMARY KEY,
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  since TEXT NOT NULL,
  department_id INTEGER REFERENCES department(id),
  body TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  entered_by TEXT NOT NULL,
  UNIQUE (staff_id, since)
);
CREATE INDEX staff_terms_department ON staff_terms (department_id);

-- Regular hours of one day of somebody who works in shifts; no hours: a weekly day off.
CREATE TABLE staff_day (
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  day TEXT NOT NULL,
  begin_min INTEGER,
  end_min INTEGER,
  entered_ms INTEGER NOT NULL,
  entered_by TEXT NOT NULL,
  PRIMARY KEY (staff_id, day)
) WITHOUT ROWID;

CREATE TABLE card (
  id INTEGER PRIMARY KEY,
  token TEXT NOT NULL,
  staff_id INTEGER NOT NULL REFERENCES staff(id),
  label TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER,
  changed_ms INTEGER NOT NULL,
  changed_by TEXT NOT NULL
);
CREATE INDEX card_token ON card (token);
CREATE INDEX card_staff ON card (staff_id);
-- In one pair of hands at a time.
CREATE UNIQUE INDEX card_held ON card (token) WHERE until_ms IS NULL;

-- One row, when somebody has chosen.
CREATE TABLE staff_setting (id INTEGER PRIMARY KEY CHECK (id = 1), names_kept INTEGER NOT NULL);

-- Which kinds of card must prove with their key that they are genuine (FeliCa Lite-S).
CREATE TABLE card_kind (name TEXT PRIMARY KEY, technology TEXT NOT NULL, mac INTEGER NOT NULL) WITHOUT ROWID;

-- One row, once a card or a name has changed: `touched` counts the changes. `error` is why the terminals were not told
-- at the change `tried`. `key_check` tells the town's card key from another, and nothing of it.
CREATE TABLE roster_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  touched INTEGER NOT NULL DEFAULT 0,
  tried INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  key_check TEXT NOT NULL DEFAULT ''
);

-- What a terminal was ordered to know of cards, sealed to the key of that name, as of the change `touched`.
CREATE TABLE roster (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  digest TEXT NOT NULL,
  key_name TEXT NOT NULL,
  touched INTEGER NOT NULL,
  message BLOB NOT NULL,
  made_ms INTEGER NOT NULL
);

-- What a terminal told last: the roster that it goes by, and why it took no other.
CREATE TABLE roster_told (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  error TEXT NOT NULL DEFAULT '',
  cards INTEGER NOT NULL DEFAULT 0,
  at_ms INTEGER NOT NULL
);

-- A file that was looked at and waits for its "do it"; gone after an hour.
CREATE TABLE draft (
  token TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  who TEXT NOT NULL,
  name TEXT NOT NULL,
  content BLOB NOT NULL,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID
"""
