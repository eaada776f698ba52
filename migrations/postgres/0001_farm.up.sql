-- Sessions, avatars, keys, usage, prices, passes and ages: the tables of migrations/sqlite in this server's words. Ids are
-- uuids, which sort as they grow; times are milliseconds since 1970 (calendar, never compared with a deadline). What is sorted
-- or told apart byte by byte has the collation "C", whatever the database's own is.

-- A session's row changes five times or more. No index names a column that changes before the end, so these changes stay on
-- the row's own page (heap-only tuples), where room is left for them.
CREATE TABLE sessions (
    id               UUID     NOT NULL PRIMARY KEY,
    kind             TEXT     NOT NULL,
    api_key          UUID     NOT NULL,
    avatar           UUID     NOT NULL,
    spec             TEXT     NOT NULL, -- JSON: what a worker must know
    portrait         TEXT     NOT NULL COLLATE "C", -- the uploads that the spec names
    speech           TEXT     COLLATE "C",
    metadata         TEXT     NOT NULL, -- JSON: the caller's own words
    queue_timeout_ms BIGINT   NOT NULL,
    max_duration_ms  BIGINT   NOT NULL,
    fence            BIGINT   NOT NULL,
    phase            SMALLINT NOT NULL, -- rank: 0 requested .. 5 ended
    worker           UUID,
    slot             SMALLINT,
    frames_done      BIGINT   NOT NULL,
    frames_total     BIGINT   NOT NULL,
    booked_ms        BIGINT   NOT NULL, -- delivered under this fence, as booked
    end_reason       TEXT,              -- a word of its own, for reports
    ending           TEXT,              -- JSON: how it ended
    created          BIGINT   NOT NULL,
    updated          BIGINT   NOT NULL, -- when its phase was last changed
    ended            BIGINT,            -- NULL: it is open
    results_kept     BOOLEAN  NOT NULL DEFAULT TRUE, -- FALSE: what it left was let go of
    CHECK ((phase = 5) = (ended IS NOT NULL))
) WITH (fillfactor = 60);
CREATE INDEX sessions_open ON sessions (id) WHERE ended IS NULL;
CREATE INDEX sessions_by_key ON sessions (api_key, id);
CREATE INDEX sessions_by_avatar ON sessions (avatar, id);
CREATE INDEX sessions_with_results ON sessions (ended, id) WHERE results_kept AND kind = 'render';

-- Whoever writes a token first makes the session: so the token goes first, and what it names follows in the same transaction.
CREATE TABLE idempotency (
    api_key     UUID   NOT NULL,
    token       TEXT   NOT NULL COLLATE "C",
    fingerprint TEXT   NOT NULL,
    session     UUID   NOT NULL REFERENCES sessions (id) DEFERRABLE INITIALLY DEFERRED,
    created     BIGINT NOT NULL,
    PRIMARY KEY (api_key, token)
);
CREATE INDEX idempotency_by_age ON idempotency (created);

-- What was delivered: booked in the hour in which it was reported.
CREATE TABLE usage (
    session      UUID   NOT NULL REFERENCES sessions (id),
    fence        BIGINT NOT NULL,
    hour         BIGINT NOT NULL,
    worker       UUID   NOT NULL,
    delivered_ms BIGINT NOT NULL,
    PRIMARY KEY (session, fence, hour, worker)
) WITH (fillfactor = 80);
CREATE INDEX usage_by_hour ON usage (hour);

-- The same by API key: a quota is judged by a few rows, however many sessions there were.
CREATE TABLE delivered (
    api_key      UUID   NOT NULL,
    hour         BIGINT NOT NULL,
    delivered_ms BIGINT NOT NULL,
    PRIMARY KEY (api_key, hour)
) WITH (fillfactor = 50);

CREATE TABLE workers (
    id            UUID    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    engine        TEXT    NOT NULL,
    instance_type TEXT    NOT NULL,
    slots         BIGINT  NOT NULL,
    up_ms         BIGINT  NOT NULL, -- cumulative: the most that was reported
    busy_ms       BIGINT  NOT NULL
) WITH (fillfactor = 60);

CREATE TABLE machine_hours (
    worker  UUID   NOT NULL,
    hour    BIGINT NOT NULL,
    up_ms   BIGINT NOT NULL,
    busy_ms BIGINT NOT NULL,
    PRIMARY KEY (worker, hour)
) WITH (fillfactor = 60);
CREATE INDEX machine_hours_by_hour ON machine_hours (hour);

CREATE TABLE avatars (
    id          UUID   NOT NULL PRIMARY KEY,
    api_key     UUID   NOT NULL,
    name        TEXT   NOT NULL,
    content     TEXT   NOT NULL COLLATE "C", -- SHA-256 of the portrait
    portrait    TEXT   NOT NULL COLLATE "C",
    media_type  TEXT   NOT NULL,
    bytes       BIGINT NOT NULL,
    face        BIGINT NOT NULL, -- 0: the largest
    prepared_by UUID   NOT NULL,
    created     BIGINT NOT NULL,
    used        BIGINT NOT NULL,
    UNIQUE (api_key, content, face)
);
CREATE INDEX avatars_by_key ON avatars (api_key, id);
CREATE INDEX avatars_by_use ON avatars (used, id);
CREATE INDEX avatars_by_portrait ON avatars (portrait);

CREATE TABLE api_keys (
    id              UUID   NOT NULL PRIMARY KEY,
    name            TEXT   NOT NULL,
    secret_hash     TEXT   NOT NULL UNIQUE COLLATE "C",
    scopes          TEXT   NOT NULL, -- JSON list
    max_open        BIGINT NOT NULL,
    minutes_per_day BIGINT,
    created         BIGINT NOT NULL,
    revoked         BIGINT
);

CREATE TABLE prices (
    instance_type      TEXT   NOT NULL COLLATE "C",
    valid_from         BIGINT NOT NULL,
    micro_usd_per_hour BIGINT NOT NULL,
    PRIMARY KEY (instance_type, valid_from)
);

-- The right to act for a key without its secret: links that open the page once, and the page's own sessions.
CREATE TABLE passes (
    hash    TEXT   NOT NULL PRIMARY KEY COLLATE "C", -- SHA-256 of what its holder has, hexadecimal
    kind    TEXT   NOT NULL,                         -- link, page
    api_key UUID   NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX passes_by_key ON passes (api_key, kind, expires);
CREATE INDEX passes_by_end ON passes (expires);

-- Uploads as they were given. One row a content; the key of one that was let go of is never given out again.
CREATE TABLE uploads (
    key     TEXT   NOT NULL PRIMARY KEY COLLATE "C",
    content TEXT   NOT NULL UNIQUE COLLATE "C", -- SHA-256
    used    BIGINT NOT NULL
);
CREATE INDEX uploads_by_use ON uploads (used, key);

-- Blobs, or folders of them, that are to be removed from the store.
CREATE TABLE leaving (
    key   TEXT NOT NULL PRIMARY KEY COLLATE "C",
    class TEXT NOT NULL
);

-- One row that readiness writes.
CREATE TABLE checks (
    id SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT   NOT NULL
);
INSERT INTO checks VALUES (1, 0);
