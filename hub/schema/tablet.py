"""Tables of lent tablets: how each is, what it shows, what residents read, answered and asked for.

1. An item of content is a draft until it is published; then its text and files stay, and only its end can be set.
2. A file's bytes lie in the hub's folder by their SHA-256 (`content/<digest>`), never in the database.
3. What came from a tablet counts once: keys are the device and what it names.
"""

TABLES = """
CREATE TABLE content_item (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('newsletter', 'notice', 'survey')),
  title TEXT NOT NULL,
  text TEXT NOT NULL DEFAULT '',
  urgent INTEGER NOT NULL DEFAULT 0,
  questions TEXT NOT NULL DEFAULT '[]',
  -- Districts that it is for, as JSON; empty: everybody.
  districts TEXT NOT NULL DEFAULT '[]',
  published_ms INTEGER,
  published_by TEXT NOT NULL DEFAULT '',
  until_ms INTEGER NOT NULL DEFAULT 0,
  withdrawn_ms INTEGER,
  withdrawn_by TEXT NOT NULL DEFAULT '',
  made_by TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  -- Later with each change to the draft: a form that was filled in before another change is told so.
  changed_ms INTEGER NOT NULL
);
CREATE INDEX content_item_published ON content_item (published_ms);
CREATE TRIGGER content_item_stays BEFORE UPDATE OF name, kind, title, text, urgent, questions, districts, published_ms
ON content_item WHEN OLD.published_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was published stays as it was'); END;
CREATE TRIGGER content_item_kept BEFORE DELETE ON content_item WHEN OLD.published_ms IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was published stays as it was'); END;

CREATE TABLE content_file (
  item_id INTEGER NOT NULL REFERENCES content_item(id),
  n INTEGER NOT NULL,
  digest TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  media_type TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (item_id, n)
) WITHOUT ROWID;
CREATE INDEX content_file_digest ON content_file (digest);
CREATE TRIGGER content_file_added BEFORE INSERT ON content_file
WHEN (SELECT published_ms FROM content_item WHERE id = NEW.item_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was published stays as it was'); END;
CREATE TRIGGER content_file_kept BEFORE DELETE ON content_file
WHEN (SELECT published_ms FROM content_item WHERE id = OLD.item_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'what was published stays as it was'); END;

-- `fetched` and `dropped` take each other's place; `opened` is the first time.
CREATE TABLE content_seen (
  item_name TEXT NOT NULL,
  device_id INTEGER NOT NULL,
  what TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (item_name, device_id, what)
) WITHOUT ROWID;

CREATE TABLE survey_answer (
  item_name TEXT NOT NULL,
  device_id INTEGER NOT NULL,
  answers TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  arrived_ms INTEGER NOT NULL,
  PRIMARY KEY (item_name, device_id)
) WITHOUT ROWID;

CREATE TABLE tablet_state (
  device_id INTEGER PRIMARY KEY,
  body TEXT NOT NULL,
  at_ms INTEGER NOT NULL
);

CREATE TABLE help_ask (
  device_id INTEGER NOT NULL,
  ask TEXT NOT NULL,
  about TEXT NOT NULL DEFAULT '',
  asked_ms INTEGER NOT NULL,
  taken_back_ms INTEGER,
  done_ms INTEGER,
  done_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (device_id, ask)
) WITHOUT ROWID;
CREATE INDEX help_ask_open ON help_ask (asked_ms) WHERE taken_back_ms IS NULL AND done_ms IS NULL;

-- What every tablet shows of the town: its name, and numbers to call (JSON: name, number, note).
CREATE TABLE tablet_setting (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  town TEXT NOT NULL DEFAULT '',
  telephones TEXT NOT NULL DEFAULT '[]'
)
"""
