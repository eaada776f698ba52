ALTER TABLE sessions DROP COLUMN before_ms;
ALTER TABLE sessions DROP COLUMN losses;
ALTER TABLE sessions DROP COLUMN moves;
ALTER TABLE sessions DROP COLUMN moved_slot;
ALTER TABLE sessions DROP COLUMN moved_worker;
