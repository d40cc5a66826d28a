-- The first schema. Times are UTC milliseconds; columns named below as JSON hold JSON text; statuses are the words of core::status.
-- Conditions on words are written out with OR: for an IN of more than two values SQLite builds a table anew in each statement
-- that checks it, which costs more than the row itself.

-- What people list and sort by is narrow; what is read one run at a time stands in run_body.
CREATE TABLE run (
  number       INTEGER PRIMARY KEY AUTOINCREMENT,
  id           TEXT NOT NULL UNIQUE CHECK (length(id) = 36),
  -- The last 12 hexadecimal digits of the id, last digit first, as a number: a suffix is a range of it.
  id_tail      INTEGER NOT NULL,
  name         TEXT NOT NULL CHECK (length(name) >= 1),
  pipeline     TEXT NOT NULL,
  experiment   TEXT,
  queue        TEXT NOT NULL CHECK (length(queue) >= 1),
  priority     INTEGER NOT NULL CHECK (priority BETWEEN -100 AND 100),
  target       TEXT NOT NULL,
  tags         TEXT NOT NULL, -- JSON
  status       TEXT NOT NULL CHECK (status = 'draft' OR status = 'queued' OR status = 'running' OR status = 'paused' OR
                 status = 'completed' OR status = 'failed' OR status = 'cancelled' OR status = 'interrupted'),
  draft        INTEGER NOT NULL CHECK (draft IN (0, 1)),
  paused       INTEGER NOT NULL CHECK (paused IN (0, 1)),
  after_failed INTEGER NOT NULL CHECK (after_failed IN (0, 1)),
  generation   INTEGER NOT NULL CHECK (generation >= 1),
  not_before   INTEGER,
  after_runs   TEXT, -- JSON
  order_key    INTEGER, -- NULL: number * 1024
  created_at   INTEGER NOT NULL,
  started_at   INTEGER,
  finished_at  INTEGER,
  result       TEXT CHECK (result = 'completed' OR result = 'failed' OR result = 'cancelled' OR result = 'interrupted'),
  result_at    INTEGER,
  error        TEXT, -- JSON
  CHECK ((result IS NULL) = (result_at IS NULL))
) STRICT;
CREATE INDEX run_tail ON run (id_tail);
CREATE INDEX run_status ON run (status);
-- Searches walk along it; it is a fifth of the table.
CREATE INDEX run_name ON run (name, pipeline, tags);
CREATE INDEX run_finished ON run (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE run_body (
  run          INTEGER PRIMARY KEY REFERENCES run (number) ON DELETE CASCADE,
  definition   TEXT NOT NULL, -- JSON
  params       TEXT NOT NULL, -- JSON
  cwd          BLOB NOT NULL,
  pipeline_dir BLOB NOT NULL,
  run_dir      BLOB NOT NULL,
  env_hash     TEXT,
  secrets      TEXT,
  umask        INTEGER NOT NULL CHECK (umask BETWEEN 0 AND 511),
  limits       TEXT NOT NULL, -- JSON
  planning_ms  INTEGER CHECK (planning_ms >= 0)
) STRICT;

-- How many runs there are by what lists are filtered by, so that a total never costs a scan. New runs are added by the
-- transaction that inserts them, together: a trigger would make each insert keep a journal of its own.
CREATE TABLE run_count (
  status     TEXT NOT NULL,
  queue      TEXT NOT NULL,
  experiment TEXT NOT NULL, -- '' where a run has none
  runs       INTEGER NOT NULL CHECK (runs >= 0),
  PRIMARY KEY (status, queue, experiment)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER run_count_update AFTER UPDATE OF status, queue, experiment ON run
WHEN old.status <> new.status OR old.queue <> new.queue OR old.experiment IS NOT new.experiment BEGIN
  UPDATE run_count SET runs = runs - 1
    WHERE status = old.status AND queue = old.queue AND experiment = coalesce(old.experiment, '');
  INSERT OR IGNORE INTO run_count VALUES (new.status, new.queue, coalesce(new.experiment, ''), 0);
  UPDATE run_count SET runs = runs + 1
    WHERE status = new.status AND queue = new.queue AND experiment = coalesce(new.experiment, '');
END;
CREATE TRIGGER run_count_delete AFTER DELETE ON run BEGIN
  UPDATE run_count SET runs = runs - 1
    WHERE status = old.status AND queue = old.queue AND experiment = coalesce(old.experiment, '');
END;

CREATE TABLE stage (
  run           INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
  idx           INTEGER NOT NULL CHECK (idx BETWEEN 0 AND 4294967295),
  name          TEXT NOT NULL,
  queue         TEXT NOT NULL CHECK (length(queue) >= 1),
  status        TEXT NOT NULL CHECK (status = 'waiting' OR status = 'queued' OR status = 'running' OR status = 'retrying' OR
                 status = 'held' OR status = 'completed' OR status = 'cached' OR status = 'skipped' OR
                 status = 'failed' OR status = 'cancelled' OR status = 'interrupted'),
  code          TEXT,
  detail        TEXT,
  attempt       INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
  retries_used  INTEGER NOT NULL DEFAULT 0 CHECK (retries_used >= 0),
  interruptions INTEGER NOT NULL DEFAULT 0 CHECK (interruptions >= 0),
  retry_at      INTEGER,
  cpus          INTEGER NOT NULL CHECK (cpus BETWEEN 0 AND 4294967295),
  memory        INTEGER NOT NULL CHECK (memory >= 0),
  gpus          INTEGER NOT NULL CHECK (gpus BETWEEN 0 AND 4294967295),
  resume        INTEGER NOT NULL DEFAULT 0 CHECK (resume IN (0, 1)),
  queued_at     INTEGER,
  started_at    INTEGER,
  finished_at   INTEGER,
  outputs       TEXT NOT NULL DEFAULT '{}', -- JSON
  error         TEXT, -- JSON
  PRIMARY KEY (run, idx),
  CHECK ((status = 'retrying') = (retry_at IS NOT NULL)),
  CHECK (status <> 'running' OR attempt > 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX stage_open ON stage (status, queue)
  WHERE status = 'queued' OR status = 'running' OR status = 'retrying' OR status = 'held';

CREATE TABLE attempt (
  run         INTEGER NOT NULL,
  stage       INTEGER NOT NULL,
  number      INTEGER NOT NULL CHECK (number >= 1),
  generation  INTEGER NOT NULL CHECK (generation >= 1),
  status      TEXT NOT NULL CHECK (status = 'launching' OR status = 'running' OR status = 'stopping' OR status = 'completed' OR
                 status = 'failed' OR status = 'timed_out' OR status = 'cancelled' OR status = 'interrupted' OR
                 status = 'launch_failed' OR status = 'void'),
  code        TEXT,
  boot_id     TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  pid         INTEGER CHECK (pid > 1),
  started_at  INTEGER,
  finished_at INTEGER,
  running_ms  INTEGER CHECK (running_ms >= 0),
  exit_code   INTEGER,
  signal      INTEGER CHECK (signal > 0),
  paused      INTEGER NOT NULL CHECK (paused IN (0, 1)),
  orphan      INTEGER NOT NULL CHECK (orphan IN (0, 1)),
  note        TEXT,
  error       TEXT, -- JSON
  log_size    INTEGER CHECK (log_size >= 0),
  log_read_to INTEGER CHECK (log_read_to >= 0),
  spawned     INTEGER NOT NULL CHECK (spawned >= 0),
  PRIMARY KEY (run, stage, number),
  FOREIGN KEY (run, stage) REFERENCES stage (run, idx) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_live ON attempt (status) WHERE status = 'launching' OR status = 'running' OR status = 'stopping';
-- Final is final.
CREATE TRIGGER attempt_final BEFORE UPDATE OF status ON attempt
WHEN old.status <> 'launching' AND old.status <> 'running' AND old.status <> 'stopping' AND new.status <> old.status BEGIN
  SELECT RAISE(ABORT, 'an ended attempt does not change its status');
END;

-- No foreign key to run: the answer to `rm` outlives the run.
CREATE TABLE wish (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) >= 1),
  run        INTEGER,
  generation INTEGER,
  kind       TEXT NOT NULL CHECK (length(kind) >= 1),
  args       TEXT NOT NULL, -- JSON
  status     TEXT NOT NULL DEFAULT 'pending' CHECK (status = 'pending' OR status = 'done' OR status = 'refused'),
  code       TEXT,
  message    TEXT,
  created_at INTEGER NOT NULL,
  done_at    INTEGER,
  CHECK ((status = 'pending') = (done_at IS NULL)),
  CHECK ((status = 'refused') = (code IS NOT NULL))
) STRICT;
CREATE INDEX wish_pending ON wish (seq) WHERE status = 'pending';
CREATE INDEX wish_cancel ON wish (run, generation) WHERE kind = 'cancel';

-- The newest row is never removed, so that numbers rise without end.
CREATE TABLE event (
  seq  INTEGER PRIMARY KEY,
  time INTEGER NOT NULL,
  run  INTEGER,
  data TEXT NOT NULL -- JSON
) STRICT;
-- The remarks on a run, few among its events. Queries name the same condition.
CREATE INDEX event_note ON event (run) WHERE substr(data, 1, 14) = '{"kind":"note"';

CREATE TABLE latest (
  run         INTEGER NOT NULL,
  stage       INTEGER NOT NULL,
  attempt     INTEGER NOT NULL,
  progress    REAL,
  eta_s       REAL,
  message     TEXT,
  data        TEXT NOT NULL, -- JSON
  log_read_to INTEGER NOT NULL CHECK (log_read_to >= 0),
  updated_at  INTEGER NOT NULL,
  PRIMARY KEY (run, stage),
  FOREIGN KEY (run, stage) REFERENCES stage (run, idx) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE capacity (
  one        INTEGER PRIMARY KEY CHECK (one = 1),
  pid        INTEGER NOT NULL,
  version    TEXT NOT NULL,
  data       TEXT NOT NULL, -- JSON
  updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE queue (
  name     TEXT PRIMARY KEY CHECK (length(name) >= 1),
  priority INTEGER NOT NULL,
  lim      INTEGER CHECK (lim BETWEEN 0 AND 4294967295), -- NULL: the number of cores
  paused   INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))
) STRICT, WITHOUT ROWID;
INSERT INTO queue (name, priority, lim) VALUES
  ('training', 10, 1), ('evaluation', 7, NULL), ('default', 5, 1), ('preprocessing', 3, NULL), ('maintenance', 1, NULL);

CREATE TABLE setting (
  key   TEXT PRIMARY KEY CHECK (length(key) >= 1),
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Random, made with the file: no cursor or id of another file is taken for one of this.
CREATE TABLE epoch (
  one   INTEGER PRIMARY KEY CHECK (one = 1),
  value TEXT NOT NULL
) STRICT;
INSERT INTO epoch VALUES (1, lower(hex(randomblob(16))));
