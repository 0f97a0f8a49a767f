"""Tables of people, roles and second factors."""

TABLES = """
UPDATE person SET role = 'auditor' WHERE role = 'viewer';

CREATE TABLE factor (
  person_id INTEGER PRIMARY KEY REFERENCES person(id),
  sealed BLOB NOT NULL,
  last_step INTEGER NOT NULL,
  since_ms INTEGER NOT NULL
);

CREATE TABLE recovery (
  code_hash TEXT PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id)
) WITHOUT ROWID;
CREATE INDEX recovery_person ON recovery (person_id);

-- Whoever gave the right password and still owes the code.  A table of its own: what looks for a session finds none.
CREATE TABLE half_session (
  token_hash TEXT PRIMARY KEY,
  person_id INTEGER NOT NULL REFERENCES person(id),
  expires_ms INTEGER NOT NULL
) WITHOUT ROWID;

-- Nobody who is signed in has shown a second factor yet.
DELETE FROM session;
ALTER TABLE session ADD COLUMN proved_ms INTEGER NOT NULL DEFAULT 0
"""
