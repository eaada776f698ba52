DROP FUNCTION ledger_write(json, uuid[]);
ALTER FUNCTION ledger_write_0004(json, uuid[]) RENAME TO ledger_write;
ALTER TABLE sessions DROP COLUMN before_ms;
ALTER TABLE sessions DROP COLUMN losses;
ALTER TABLE sessions DROP COLUMN moves;
ALTER TABLE sessions DROP COLUMN moved_bytes;
ALTER TABLE sessions DROP COLUMN moved_ms;
ALTER TABLE sessions DROP COLUMN moved_slot;
ALTER TABLE sessions DROP COLUMN moved_worker;
