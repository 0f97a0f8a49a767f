"""The audit log as a chain: append-only, each entry joined to the one before it (`chain.py` has the rule)."""

TABLES = """
ALTER TABLE audit RENAME TO audit_before;

CREATE TABLE audit (
  id INTEGER PRIMARY KEY,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  did TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  prev BLOB NOT NULL CHECK (length(prev) = 32),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- Also what REPLACE would do: it inserts first.
CREATE TRIGGER audit_joins BEFORE INSERT ON audit
WHEN NEW.id IS NOT coalesce((SELECT max(id) FROM audit), 0) + 1
  OR NEW.prev IS NOT coalesce((SELECT hash FROM audit ORDER BY id DESC LIMIT 1), zeroblob(32))
BEGIN SELECT RAISE(ABORT, 'an entry of the audit log joins the one before it'); END;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
"""

BEFORE = "SELECT at_ms, who, did, what, detail FROM audit_before ORDER BY id"
INSERT = "INSERT INTO audit (id, at_ms, who, did, what, detail, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
AFTER = "DROP TABLE audit_before"
