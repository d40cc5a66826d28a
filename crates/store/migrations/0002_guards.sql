-- What people are told of while a program runs: it prints nothing, or a metric is beyond what its stage allows.
CREATE TABLE alert (
  id           INTEGER PRIMARY KEY AUTOINCREMENT,
  run          INTEGER NOT NULL,
  stage        INTEGER NOT NULL,
  attempt      INTEGER NOT NULL CHECK (attempt >= 1),
  rule         INTEGER NOT NULL CHECK (rule >= -1), -- its place in the stage's alerts; -1: the stage's stall
  episode      INTEGER NOT NULL CHECK (episode >= 1),
  facts        TEXT NOT NULL, -- JSON
  since        INTEGER NOT NULL,
  raised_at    INTEGER NOT NULL,
  ended_at     INTEGER,
  dismissed_at INTEGER,
  -- Read again by another owner, an episode is the same one.
  UNIQUE (run, stage, attempt, rule, episode),
  FOREIGN KEY (run, stage) REFERENCES stage (run, idx) ON DELETE CASCADE
) STRICT;
-- Stages whose checkpoints are to be looked through, and when: each hour while they run, and at their end.
CREATE TABLE keeping (
  run   INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  due   INTEGER NOT NULL,
  PRIMARY KEY (run, stage),
  FOREIGN KEY (run, stage) REFERENCES stage (run, idx) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_open ON alert (run) WHERE ended_at IS NULL AND dismissed_at IS NULL;
-- The checkpoint that was chosen for a stage's next attempt, where it is not to be the newest.
ALTER TABLE stage ADD COLUMN resume_from TEXT; -- JSON
