"""Tables of small benefits on a card (taxi vouchers and the like).

1. Units are whole. A grant and a use are rows that are only added; the balance is their sum.
2. An allowance is what a device may take on its own: `limit_units` in all under `id`, until `until_ms`.  What the hub
   has given out and not heard of yet is the bound of a double spend (exposure).
3. A use counts once by (device, use).
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
  offline_units INTEGER NOT NULL,
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
  units INTEGER NOT NULL,
  day TEXT NOT NULL,
  until_day TEXT NOT NULL DEFAULT '',
  reason TEXT NOT NULL DEFAULT '',
  entered_by TEXT NOT NULL,
  entered_ms INTEGER NOT NULL,
  approved_by TEXT NOT NULL DEFAULT '',
  approved_ms INTEGER
);
CREATE INDEX benefit_grant_resident ON benefit_grant (resident_id);

CREATE TABLE benefit_allowance (
  id TEXT PRIMARY KEY,
  device_id INTEGER NOT NULL,
  benefit TEXT NOT NULL,
  resident_id INTEGER NOT NULL,
  card TEXT NOT NULL,
  limit_units INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  used_units INTEGER NOT NULL DEFAULT 0,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX benefit_allowance_resident ON benefit_allowance (resident_id, benefit);
CREATE INDEX benefit_allowance_device ON benefit_allowance (device_id);

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
  PRIMARY KEY (device_id, use)
) WITHOUT ROWID;
CREATE INDEX benefit_use_resident ON benefit_use (resident_id, benefit)
"""
