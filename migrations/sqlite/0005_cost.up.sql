-- What was sent to viewers, and how long machines needed to start.

ALTER TABLE usage ADD COLUMN sent_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machine_hours ADD COLUMN starting_ms INTEGER NOT NULL DEFAULT 0; -- of up_ms, before it was heard of first
