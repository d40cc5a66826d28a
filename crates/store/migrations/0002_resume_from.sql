-- The checkpoint that was chosen for a stage's next attempt, where it is not to be the newest.
ALTER TABLE stage ADD COLUMN resume_from TEXT; -- JSON
