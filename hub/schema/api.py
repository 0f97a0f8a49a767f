"""Tables of the HTTP API."""

TABLES = """
CREATE TABLE api_token (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL,
  person_id INTEGER NOT NULL REFERENCES person(id),
  token_hash TEXT NOT NULL,
  scopes TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  used_ms INTEGER,
  revoked_ms INTEGER,
  revoked_by TEXT NOT NULL DEFAULT ''
);

CREATE TABLE api_answer (
  token_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  asked TEXT NOT NULL,
  answer TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (token_id, key)
) WITHOUT ROWID
"""
