"""Tables of the waivers' month: who asked to close it, who approved, and layouts of files for the finance system.

1. A request to close is for the figures that were looked at (`fingerprint`); there is one open request a month at most.
2. Who asked does not approve: the table refuses it too.  A request that has ended stays as it ended.
3. `waiver_month_seen` is a cache: what the facts of a closed month came to when they were last looked at.  Dropping it
   makes the next closing slower and changes no figure.
"""

TABLES = """
CREATE TABLE waiver_close_ask (
  id INTEGER PRIMARY KEY,
  month TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  -- Why it is closed although a bill is missing.
  note TEXT NOT NULL DEFAULT '',
  asked_by TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  result TEXT NOT NULL DEFAULT '' CHECK (result IN ('', 'approved', 'refused', 'withdrawn')),
  ended_by TEXT NOT NULL DEFAULT '',
  ended_ms INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX waiver_close_ask_open ON waiver_close_ask (month) WHERE result = '';

CREATE TRIGGER waiver_close_by_another BEFORE UPDATE ON waiver_close_ask
WHEN NEW.result IN ('approved', 'refused') AND NEW.ended_by = OLD.asked_by
BEGIN SELECT RAISE(ABORT, 'who asked to close a month does not approve it'); END;
CREATE TRIGGER waiver_close_ended BEFORE UPDATE ON waiver_close_ask
WHEN OLD.result <> ''
BEGIN SELECT RAISE(ABORT, 'a request that has ended stays as it ended'); END;
CREATE TRIGGER waiver_close_kept BEFORE DELETE ON waiver_close_ask
BEGIN SELECT RAISE(ABORT, 'a request to close a month is never deleted'); END;

CREATE TABLE waiver_month_seen (
  month TEXT PRIMARY KEY,
  facts TEXT NOT NULL,
  seen_ms INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE voucher_layout (
  code TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_ms INTEGER NOT NULL
) WITHOUT ROWID
"""
