-- Metrics of one run, and how far the logs of its attempts were read. Times are UTC milliseconds.

CREATE TABLE mark (
  stage   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  offset  INTEGER NOT NULL CHECK (offset >= 0),
  state   BLOB NOT NULL,
  PRIMARY KEY (stage, attempt)
) STRICT;

CREATE TABLE series (
  id      INTEGER PRIMARY KEY,
  stage   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  name    TEXT NOT NULL,
  blocks  INTEGER NOT NULL CHECK (blocks >= 1),
  in_last INTEGER NOT NULL CHECK (in_last >= 1), -- points in the newest block
  last    BLOB NOT NULL, -- the newest point
  UNIQUE (stage, attempt, name)
) STRICT;

-- Points in the order they came, many to a row; the form is that of telemetry/point.rs. key = series.id << 32 | number of the block.
CREATE TABLE block (
  key  INTEGER PRIMARY KEY,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoint (
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  stage   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  path    TEXT NOT NULL,
  step    INTEGER,
  epoch   REAL,
  time    INTEGER NOT NULL,
  size    INTEGER,
  data    TEXT NOT NULL, -- JSON
  UNIQUE (stage, path)
) STRICT;

CREATE TABLE output (
  stage   INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  key     TEXT NOT NULL,
  value   TEXT NOT NULL, -- JSON
  UNIQUE (stage, attempt, key)
) STRICT;
