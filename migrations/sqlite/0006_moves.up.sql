-- Live sessions that were moved: from where, and how often. And how often a session was lost with its worker.

ALTER TABLE sessions ADD COLUMN moved_worker BLOB;
ALTER TABLE sessions ADD COLUMN moved_slot INTEGER;
ALTER TABLE sessions ADD COLUMN moves INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN losses INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET losses = fence - 1 WHERE phase < 5;
-- Delivered in earlier placements.
ALTER TABLE sessions ADD COLUMN before_ms INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET before_ms = (SELECT COALESCE(SUM(u.delivered_ms), 0) FROM usage AS u
    WHERE u.session = sessions.id AND u.fence < sessions.fence) WHERE phase < 5 AND fence > 1;
