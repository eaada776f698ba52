-- Records of sessions and books have ages, too; what somebody asks to be removed goes whatever its age; and one coordinator at
-- a time sees to it.

-- TRUE: its record was let go of. The row keeps what the books need of it, and goes with the last of its usage.
ALTER TABLE sessions ADD COLUMN let_go BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX sessions_by_end ON sessions (ended, id)
    WHERE ended IS NOT NULL AND NOT let_go AND NOT (results_kept AND kind = 'render');
CREATE INDEX idempotency_by_session ON idempotency (session);
CREATE INDEX avatars_by_preparation ON avatars (prepared_by);
CREATE INDEX delivered_by_hour ON delivered (hour);

-- TRUE: somebody asked for its removal, and nobody gave it anew since.
ALTER TABLE uploads ADD COLUMN unwanted BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX uploads_unwanted ON uploads (used, key) WHERE unwanted;

-- Avatars that were removed, until the results of all renders with them are.
CREATE TABLE removals (
    avatar UUID NOT NULL PRIMARY KEY
);

-- Whose turn it is to remove what is old, and until when by this server's clock.
CREATE TABLE turns (
    id     SMALLINT    NOT NULL PRIMARY KEY CHECK (id = 1),
    holder UUID        NOT NULL,
    until  TIMESTAMPTZ NOT NULL
);
