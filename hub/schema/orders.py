"""Tables of commands.  (`order` is SQL's own word.)"""

TABLES = """
CREATE TABLE device_order (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  device_id INTEGER NOT NULL REFERENCES device(id),
  name TEXT NOT NULL,
  arguments TEXT NOT NULL,
  who TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  not_after_ms INTEGER NOT NULL,
  state TEXT NOT NULL,
  sent_ms INTEGER,
  delivered_ms INTEGER,
  ended_ms INTEGER,
  detail TEXT NOT NULL DEFAULT ''
);
CREATE INDEX device_order_device ON device_order (device_id, number);
CREATE INDEX device_order_open ON device_order (not_after_ms) WHERE ended_ms IS NULL;

-- Parts of files that orders asked for.
CREATE TABLE order_part (
  order_id TEXT NOT NULL REFERENCES device_order(id),
  part INTEGER NOT NULL,
  parts INTEGER NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (order_id, part)
);

-- Devices that somebody has marked as stolen, until they are found.
CREATE TABLE stolen (
  device_id INTEGER PRIMARY KEY REFERENCES device(id),
  order_id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  shut_out_ms INTEGER
);
"""
