-- Work that repeats. Times are UTC milliseconds.
CREATE TABLE schedule (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE CHECK (length(name) >= 1),
  job        TEXT NOT NULL, -- JSON: what it runs, and with which values
  cwd        BLOB NOT NULL,
  env_hash   TEXT NOT NULL,
  secrets    TEXT,
  umask      INTEGER NOT NULL CHECK (umask BETWEEN 0 AND 511),
  limits     TEXT NOT NULL, -- JSON
  timing     TEXT NOT NULL CHECK (length(timing) >= 1),
  zone       TEXT NOT NULL CHECK (length(zone) >= 1),
  catch_up   TEXT NOT NULL CHECK (catch_up = 'once' OR catch_up = 'skip'),
  overlap    TEXT NOT NULL CHECK (overlap = 'skip' OR overlap = 'queue'),
  enabled    INTEGER NOT NULL CHECK (enabled IN (0, 1)),
  next_at    INTEGER, -- NULL: never again
  last_run   INTEGER, -- a run's number; it may have been removed
  missed     TEXT NOT NULL DEFAULT '[]', -- JSON: the newest times that were missed
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX schedule_due ON schedule (next_at) WHERE enabled = 1;
-- Which runs a schedule started, and for which time: never two for one.
CREATE TABLE scheduled (
  run         INTEGER PRIMARY KEY REFERENCES run (number) ON DELETE CASCADE,
  schedule    TEXT NOT NULL,
  name        TEXT NOT NULL,
  due         INTEGER NOT NULL,
  UNIQUE (schedule, due)
) STRICT;
