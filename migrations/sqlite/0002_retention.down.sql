DROP INDEX sessions_with_results;
ALTER TABLE sessions DROP COLUMN results_kept;
DROP INDEX idempotency_by_age;
ALTER TABLE idempotency DROP COLUMN created;
DROP INDEX avatars_by_portrait;
DROP INDEX avatars_by_use;
ALTER TABLE avatars DROP COLUMN used;
DROP TABLE leaving;
DROP TABLE uploads;
