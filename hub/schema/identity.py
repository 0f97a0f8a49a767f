"""Tables of enrolment and certificates.

1. `certificate` is the register: every certificate that was ever issued to a device. A key gets one, ever.
2. Of a code only its SHA-256 is kept; `used_key` is the key that it was used for.
3. `renewal` holds what devices asked for, until it is answered.
"""

TABLES = """
CREATE TABLE certificate (
  serial TEXT PRIMARY KEY,
  device_id INTEGER NOT NULL REFERENCES device(id),
  key_name TEXT NOT NULL UNIQUE,
  how TEXT NOT NULL,
  issued_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  chain TEXT NOT NULL,
  revoked_ms INTEGER,
  reason TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX certificate_device ON certificate (device_id, end_ms);
CREATE INDEX certificate_revoked ON certificate (revoked_ms) WHERE revoked_ms IS NOT NULL;

CREATE TABLE enrolment_code (
  code_hash TEXT PRIMARY KEY,
  device TEXT NOT NULL,
  kind TEXT NOT NULL,
  hardware TEXT NOT NULL DEFAULT '',
  who TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  used_ms INTEGER,
  used_key TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;

CREATE TABLE expected_device (
  hardware TEXT PRIMARY KEY,
  device TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  at_once INTEGER NOT NULL DEFAULT 0,
  who TEXT NOT NULL,
  made_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE enrolment_request (
  key_name TEXT PRIMARY KEY,
  hardware TEXT NOT NULL,
  device TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  state TEXT NOT NULL DEFAULT 'waiting',
  who TEXT NOT NULL DEFAULT '',
  decided_ms INTEGER
) WITHOUT ROWID;

CREATE TABLE renewal (
  device_id INTEGER PRIMARY KEY REFERENCES device(id),
  request TEXT NOT NULL,
  received_ms INTEGER NOT NULL
)
"""
