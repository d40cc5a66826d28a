-- The GPUs that an attempt holds while it lives, and what it used.
ALTER TABLE attempt ADD COLUMN gpus TEXT; -- JSON; NULL: none
ALTER TABLE attempt ADD COLUMN usage TEXT; -- JSON
