"""Tables of the town's Wi-Fi.

1. A session's name for ever is (who told of it, boot, session): `told_by` is `device:<id>` for an access point of
   ours and `radius:<id>` for another maker's.  Its counters are the greatest that were told; the first end that was
   told stands (`hub/wifi/session.py`).
2. Times are event times in UTC ms, as the access point told them; `arrived_ms` is the hub's.  Bytes are integers, IP
   headers included: `up` came from the guest.
3. What could lead to a person (`guest`, `contact`) is taken out after the time that was set; what it was counted in
   stays.
4. Keys (of days, of months) are files in the hub's folder, never rows: a copy of the database opens nothing.
"""

TABLES = """
CREATE TABLE wifi_session (
  id INTEGER PRIMARY KEY,
  told_by TEXT NOT NULL,
  boot TEXT NOT NULL,
  session TEXT NOT NULL,
  device_id INTEGER,
  place TEXT NOT NULL DEFAULT '',
  network TEXT NOT NULL DEFAULT '',
  way TEXT NOT NULL DEFAULT 'click',
  number INTEGER NOT NULL,
  began_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  end_number INTEGER NOT NULL DEFAULT 0,
  ends_ms INTEGER NOT NULL DEFAULT 0,
  cause TEXT NOT NULL DEFAULT '',
  up_bytes INTEGER NOT NULL,
  down_bytes INTEGER NOT NULL,
  extensions INTEGER NOT NULL DEFAULT 0,
  slowed INTEGER NOT NULL DEFAULT 0,
  origin TEXT NOT NULL DEFAULT '',
  guest TEXT,
  day TEXT NOT NULL DEFAULT '',
  arrived_ms INTEGER NOT NULL,
  UNIQUE (told_by, boot, session)
);
CREATE INDEX wifi_session_began ON wifi_session (began_ms);
CREATE INDEX wifi_session_open ON wifi_session (device_id, last_ms) WHERE ended_ms IS NULL;
CREATE INDEX wifi_session_session ON wifi_session (session);
CREATE INDEX wifi_session_origin ON wifi_session (origin) WHERE origin <> '';

-- How much of a session had flowed by the end of an hour in which it was told of: what the hours' sums are made of
-- (`hub/wifi/hourly.py`).
CREATE TABLE wifi_session_hour (
  session_id INTEGER NOT NULL REFERENCES wifi_session(id),
  hour_ms INTEGER NOT NULL,
  up_bytes INTEGER NOT NULL,
  down_bytes INTEGER NOT NULL,
  PRIMARY KEY (session_id, hour_ms)
) WITHOUT ROWID;

-- What there was in an hour (UTC ms of its beginning): sessions begun, sessions told of, bytes; and the most that the
-- access point said of itself: sessions at once, and how busy its channel was.
CREATE TABLE wifi_hour (
  told_by TEXT NOT NULL,
  place TEXT NOT NULL,
  hour_ms INTEGER NOT NULL,
  began INTEGER NOT NULL DEFAULT 0,
  sessions INTEGER NOT NULL DEFAULT 0,
  up_bytes INTEGER NOT NULL DEFAULT 0,
  down_bytes INTEGER NOT NULL DEFAULT 0,
  most_sessions INTEGER NOT NULL DEFAULT 0,
  most_airtime_permille INTEGER,
  PRIMARY KEY (told_by, place, hour_ms)
) WITHOUT ROWID;
CREATE INDEX wifi_hour_hour ON wifi_hour (hour_ms);

-- Agreements (by the session they were made in) of which the neighbours are to be told anew, and access points that
-- came and are to be told of all.
CREATE TABLE wifi_roam (
  origin TEXT PRIMARY KEY,
  times INTEGER NOT NULL DEFAULT 1
) WITHOUT ROWID;
CREATE TABLE wifi_roam_device (
  device_id INTEGER PRIMARY KEY,
  times INTEGER NOT NULL DEFAULT 1
);

-- How many devices (pseudonyms) were seen in a place on a day in Japan: counted before pseudonyms go.
CREATE TABLE wifi_day_devices (
  place TEXT NOT NULL,
  day TEXT NOT NULL,
  devices INTEGER NOT NULL,
  PRIMARY KEY (place, day)
) WITHOUT ROWID;

CREATE TABLE wifi_consent (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  session TEXT NOT NULL,
  terms TEXT NOT NULL,
  language TEXT NOT NULL,
  way TEXT NOT NULL,
  voucher TEXT NOT NULL DEFAULT '',
  contact TEXT,
  contact_key TEXT NOT NULL DEFAULT '',
  contact_ms INTEGER NOT NULL DEFAULT 0,
  at_ms INTEGER NOT NULL,
  mailed_ms INTEGER,
  confirmed_ms INTEGER,
  UNIQUE (device_id, session)
);
CREATE INDEX wifi_consent_at ON wifi_consent (at_ms);
CREATE INDEX wifi_consent_due ON wifi_consent (contact_ms) WHERE contact IS NOT NULL AND mailed_ms IS NULL;

-- The latest that an access point said of itself (JSON of wire.messages.WifiState).
CREATE TABLE wifi_state (
  device_id INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  received_ms INTEGER NOT NULL
);

-- What was published is never changed.  The one draft has an empty version.
CREATE TABLE wifi_terms (
  id INTEGER PRIMARY KEY,
  version TEXT NOT NULL UNIQUE,
  texts TEXT NOT NULL,
  saved_ms INTEGER NOT NULL,
  saved_by TEXT NOT NULL,
  published_ms INTEGER,
  published_by TEXT NOT NULL DEFAULT ''
);

CREATE TABLE voucher_batch (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  devices INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  made_ms INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  -- Tells with which voucher key (a file) the hashes were made.
  key_check TEXT NOT NULL,
  -- The batch whose lost sheets this one replaces.
  instead_of INTEGER,
  withdrawn_ms INTEGER,
  withdrawn_by TEXT NOT NULL DEFAULT ''
);

-- A code is shown once, on the sheet; its uses are counted from consents, which name a voucher `<batch>-<number>`.
CREATE TABLE voucher (
  id INTEGER PRIMARY KEY,
  batch_id INTEGER NOT NULL REFERENCES voucher_batch(id),
  number INTEGER NOT NULL,
  code_hash TEXT NOT NULL UNIQUE,
  UNIQUE (batch_id, number)
);
CREATE INDEX wifi_consent_voucher ON wifi_consent (voucher) WHERE voucher <> '';

-- One row, once anything that a kit holds has changed: `touched` counts the changes.
CREATE TABLE kit_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  touched INTEGER NOT NULL DEFAULT 0,
  tried INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT ''
);

CREATE TABLE kit (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  digest TEXT NOT NULL,
  key_name TEXT NOT NULL,
  touched INTEGER NOT NULL,
  message BLOB NOT NULL,
  made_ms INTEGER NOT NULL,
  terms TEXT NOT NULL,
  -- The order in it that was signed in advance (JSON), when that was, and the last disaster report known then.
  standing TEXT NOT NULL,
  standing_ms INTEGER NOT NULL,
  standing_report INTEGER NOT NULL
);

CREATE TABLE kit_report (
  device_id INTEGER PRIMARY KEY,
  incarnation TEXT NOT NULL,
  generation INTEGER NOT NULL,
  result TEXT NOT NULL,
  error TEXT NOT NULL,
  at_ms INTEGER NOT NULL
);

-- The disaster switch: asked for by one person, confirmed by another; `run` is what access points report under.
CREATE TABLE disaster (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE,
  drill INTEGER NOT NULL,
  reason TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  -- Names of places (JSON); empty for all.
  places TEXT NOT NULL DEFAULT '[]',
  asked_ms INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  decided TEXT NOT NULL DEFAULT '',
  decided_ms INTEGER,
  decided_by TEXT NOT NULL DEFAULT '',
  ends_ms INTEGER,
  ended_ms INTEGER,
  ended_by TEXT NOT NULL DEFAULT ''
);

-- Which access points a run is for: the order that was given last (empty: none could be), and the one that ends it.
CREATE TABLE disaster_point (
  disaster_id INTEGER NOT NULL REFERENCES disaster(id),
  device_id INTEGER NOT NULL,
  order_id TEXT NOT NULL DEFAULT '',
  end_order_id TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (disaster_id, device_id)
) WITHOUT ROWID;

CREATE TABLE disaster_report (
  id INTEGER PRIMARY KEY,
  device_id INTEGER NOT NULL,
  run TEXT NOT NULL,
  state TEXT NOT NULL,
  told_by TEXT NOT NULL,
  ends_ms INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (device_id, run, state, at_ms, evidence)
);
CREATE INDEX disaster_report_run ON disaster_report (run);

-- Proof of deletion: what a purge took out, chained so that none can be taken away unseen.
CREATE TABLE wifi_purge (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  before_ms INTEGER NOT NULL,
  counts TEXT NOT NULL,
  left_over INTEGER NOT NULL,
  hash TEXT NOT NULL
);

-- How far a month's events have been gone through: for raw bodies that came late, and for those of full age.
CREATE TABLE wifi_purge_month (
  month TEXT PRIMARY KEY,
  fresh_id INTEGER NOT NULL,
  aged_id INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE wifi_setting (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  keep_days INTEGER NOT NULL,
  fewest INTEGER NOT NULL
);

-- A lawful inquiry: entered by one person, decided by another; the extract is made once and only its digest is kept.
CREATE TABLE inquiry (
  id INTEGER PRIMARY KEY,
  authority TEXT NOT NULL,
  reference TEXT NOT NULL,
  basis TEXT NOT NULL,
  place TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  asked_ms INTEGER NOT NULL,
  asked_by TEXT NOT NULL,
  decided TEXT NOT NULL DEFAULT '',
  decided_ms INTEGER,
  decided_by TEXT NOT NULL DEFAULT '',
  why TEXT NOT NULL DEFAULT '',
  -- Whether pseudonyms, and whether contacts, are asked for.
  guests INTEGER NOT NULL DEFAULT 0,
  contacts INTEGER NOT NULL DEFAULT 0,
  rows INTEGER,
  digest TEXT NOT NULL DEFAULT '',
  handed_ms INTEGER,
  handed_by TEXT NOT NULL DEFAULT ''
);

-- Another maker's access point, or a RADIUS server that forwards: its token as a hash.
CREATE TABLE radius_client (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  place TEXT NOT NULL DEFAULT '',
  token_hash TEXT NOT NULL UNIQUE,
  made_ms INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  withdrawn_ms INTEGER,
  heard_ms INTEGER
);

-- How far a detail file was read, moved on in the transaction of what was read; `mark` tells a file from another one
-- that was given the same number by the file system.
CREATE TABLE radius_file (
  client_id INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  mark TEXT NOT NULL,
  read_bytes INTEGER NOT NULL,
  PRIMARY KEY (client_id, inode, mark)
) WITHOUT ROWID
"""
