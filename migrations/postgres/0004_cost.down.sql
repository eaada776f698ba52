DROP FUNCTION ledger_write(json, uuid[]);
ALTER FUNCTION ledger_write_0002(json, uuid[]) RENAME TO ledger_write;
ALTER TABLE machine_hours DROP COLUMN starting_ms;
ALTER TABLE usage DROP COLUMN sent_bytes;
ALTER TABLE sessions DROP COLUMN booked_bytes;
