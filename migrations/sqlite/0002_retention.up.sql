-- Ages: when things were used last, and the blobs that no record names any more.

-- Uploads as they were given. One row a content; the key of one that was let go of is never given out again.
CREATE TABLE uploads (
    key     TEXT    NOT NULL PRIMARY KEY,
    content TEXT    NOT NULL UNIQUE, -- SHA-256
    used    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX uploads_by_use ON uploads (used);

-- Blobs, or folders of them, that are to be removed from the store.
CREATE TABLE leaving (
    key   TEXT NOT NULL PRIMARY KEY,
    class TEXT NOT NULL
) WITHOUT ROWID;

ALTER TABLE avatars ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
UPDATE avatars SET used = max(created, COALESCE((SELECT max(s.created) FROM sessions AS s WHERE s.avatar = avatars.id), 0));
CREATE INDEX avatars_by_use ON avatars (used);
CREATE INDEX avatars_by_portrait ON avatars (portrait);

ALTER TABLE idempotency ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
UPDATE idempotency SET created = COALESCE((SELECT s.created FROM sessions AS s WHERE s.id = idempotency.session), 0);
CREATE INDEX idempotency_by_age ON idempotency (created);

ALTER TABLE sessions ADD COLUMN results_kept INTEGER NOT NULL DEFAULT 1; -- 0: what it left was let go of
CREATE INDEX sessions_with_results ON sessions (updated) WHERE results_kept = 1 AND phase = 5 AND kind = 'render';

-- What was uploaded before: 'uploads/ab/CONTENT', named by avatars and sessions.
INSERT INTO uploads (key, content, used)
    SELECT key, substr(key, 12), max(used) FROM (
        SELECT portrait AS key, used FROM avatars
        UNION ALL SELECT json_extract(spec, '$.portrait'), updated FROM sessions
        UNION ALL SELECT json_extract(spec, '$.speech'), updated FROM sessions
    ) WHERE key LIKE 'uploads/__/%' GROUP BY key;
