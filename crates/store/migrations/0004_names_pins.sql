-- What people search by: three letters in a row of a run's name, its pipeline's and its tags say which runs come into question.
-- Those up to `named.number` are in it; the owner takes in more when there are enough of them, and the few newest are walked along.
CREATE VIRTUAL TABLE run_text USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'trigram', detail = 'none');
CREATE TABLE named (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  number INTEGER NOT NULL CHECK (number >= 0)
) STRICT;
INSERT INTO named VALUES (1, 0);
CREATE TRIGGER run_text_update AFTER UPDATE OF name, pipeline, tags ON run
WHEN (old.name <> new.name OR old.pipeline <> new.pipeline OR old.tags <> new.tags)
  AND new.number <= (SELECT number FROM named) BEGIN
  INSERT OR REPLACE INTO run_text (rowid, words)
    VALUES (new.number, new.name || char(10) || new.pipeline || char(10) || new.tags);
END;
CREATE TRIGGER run_text_delete AFTER DELETE ON run WHEN old.number <= (SELECT number FROM named) BEGIN
  DELETE FROM run_text WHERE rowid = old.number;
END;

-- Checkpoints that cleaning leaves alone, whatever their stage's rule says.
CREATE TABLE pin (
  run   INTEGER NOT NULL,
  stage INTEGER NOT NULL,
  path  TEXT NOT NULL CHECK (length(path) >= 1),
  PRIMARY KEY (run, stage, path),
  FOREIGN KEY (run, stage) REFERENCES stage (run, idx) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
