ALTER TABLE machine_hours DROP COLUMN starting_ms;
ALTER TABLE usage DROP COLUMN sent_bytes;
