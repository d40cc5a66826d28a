-- What the processes of an attempt used in all up to a moment, and their peaks since the row before.
CREATE TABLE usage (
  stage      INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  time       INTEGER NOT NULL,
  cpu_ms     INTEGER NOT NULL CHECK (cpu_ms >= 0),
  memory     INTEGER NOT NULL CHECK (memory >= 0),
  read       INTEGER CHECK (read >= 0),
  written    INTEGER CHECK (written >= 0),
  gpu        REAL,
  gpu_memory INTEGER CHECK (gpu_memory >= 0),
  PRIMARY KEY (stage, attempt, time)
) STRICT, WITHOUT ROWID;
