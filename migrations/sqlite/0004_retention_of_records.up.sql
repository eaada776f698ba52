-- Records of sessions and books have ages, too, and what somebody asks to be removed goes whatever its age.

-- 1: its record was let go of. The row keeps what the books need of it, and goes with the last of its usage.
ALTER TABLE sessions ADD COLUMN let_go INTEGER NOT NULL DEFAULT 0;
CREATE INDEX sessions_by_end ON sessions (updated, id)
    WHERE phase = 5 AND let_go = 0 AND NOT (results_kept = 1 AND kind = 'render');
CREATE INDEX idempotency_by_session ON idempotency (session);
CREATE INDEX avatars_by_preparation ON avatars (prepared_by);
CREATE INDEX delivered_by_hour ON delivered (hour);

-- 1: somebody asked for its removal, and nobody gave it anew since.
ALTER TABLE uploads ADD COLUMN unwanted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX uploads_unwanted ON uploads (used) WHERE unwanted = 1;

-- Avatars that were removed, until the results of all renders with them are.
CREATE TABLE removals (
    avatar BLOB NOT NULL PRIMARY KEY
) WITHOUT ROWID;
