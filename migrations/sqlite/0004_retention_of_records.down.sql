DROP TABLE removals;
DROP INDEX uploads_unwanted;
ALTER TABLE uploads DROP COLUMN unwanted;
DROP INDEX delivered_by_hour;
DROP INDEX avatars_by_preparation;
DROP INDEX idempotency_by_session;
DROP INDEX sessions_by_end;
ALTER TABLE sessions DROP COLUMN let_go;
