-- Sessions, avatars, keys, usage, prices. Ids are 16 bytes, big endian, so that they sort as they grow; times are
-- milliseconds since 1970 (calendar, never compared with a deadline).

CREATE TABLE sessions (
    id               BLOB    NOT NULL PRIMARY KEY,
    kind             TEXT    NOT NULL,
    api_key          BLOB    NOT NULL,
    avatar           BLOB    NOT NULL,
    spec             TEXT    NOT NULL, -- JSON: what a worker must know
    metadata         TEXT    NOT NULL, -- JSON: the caller's own words
    queue_timeout_ms INTEGER NOT NULL,
    max_duration_ms  INTEGER NOT NULL,
    fence            INTEGER NOT NULL,
    phase            INTEGER NOT NULL, -- rank: 0 requested .. 5 ended
    worker           BLOB,
    slot             INTEGER,
    frames_done      INTEGER NOT NULL,
    frames_total     INTEGER NOT NULL,
    end_reason       TEXT,             -- a word of its own, for reports
    ending           TEXT,             -- JSON: how it ended
    created          INTEGER NOT NULL,
    updated          INTEGER NOT NULL  -- when its phase was last changed
);
CREATE INDEX sessions_open ON sessions (id) WHERE phase < 5;
CREATE INDEX sessions_by_key ON sessions (api_key, id);
CREATE INDEX sessions_by_avatar ON sessions (avatar, id);

CREATE TABLE idempotency (
    api_key     BLOB NOT NULL,
    token       TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    session     BLOB NOT NULL REFERENCES sessions (id),
    PRIMARY KEY (api_key, token)
) WITHOUT ROWID;

-- What was delivered: booked in the hour in which it was reported. The sum over a (session, fence) is what its worker
-- reported last, cumulatively.
CREATE TABLE usage (
    session      BLOB    NOT NULL REFERENCES sessions (id),
    fence        INTEGER NOT NULL,
    hour         INTEGER NOT NULL,
    worker       BLOB    NOT NULL,
    delivered_ms INTEGER NOT NULL,
    PRIMARY KEY (session, fence, hour, worker)
) WITHOUT ROWID;
CREATE INDEX usage_by_hour ON usage (hour);

-- The same by API key: a quota is judged by a few rows, however many sessions there were.
CREATE TABLE delivered (
    api_key      BLOB    NOT NULL,
    hour         INTEGER NOT NULL,
    delivered_ms INTEGER NOT NULL,
    PRIMARY KEY (api_key, hour)
) WITHOUT ROWID;

CREATE TABLE workers (
    id            BLOB    NOT NULL PRIMARY KEY,
    name          TEXT    NOT NULL,
    engine        TEXT    NOT NULL,
    instance_type TEXT    NOT NULL,
    slots         INTEGER NOT NULL,
    up_ms         INTEGER NOT NULL, -- cumulative: the most that was reported
    busy_ms       INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE machine_hours (
    worker  BLOB    NOT NULL,
    hour    INTEGER NOT NULL,
    up_ms   INTEGER NOT NULL,
    busy_ms INTEGER NOT NULL,
    PRIMARY KEY (worker, hour)
) WITHOUT ROWID;
CREATE INDEX machine_hours_by_hour ON machine_hours (hour);

CREATE TABLE avatars (
    id          BLOB    NOT NULL PRIMARY KEY,
    api_key     BLOB    NOT NULL,
    name        TEXT    NOT NULL,
    content     TEXT    NOT NULL, -- SHA-256 of the portrait
    portrait    TEXT    NOT NULL,
    media_type  TEXT    NOT NULL,
    bytes       INTEGER NOT NULL,
    face        INTEGER NOT NULL, -- 0: the largest
    prepared_by BLOB    NOT NULL,
    created     INTEGER NOT NULL,
    UNIQUE (api_key, content, face)
) WITHOUT ROWID;
CREATE INDEX avatars_by_key ON avatars (api_key, id);

CREATE TABLE api_keys (
    id              BLOB    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    secret_hash     TEXT    NOT NULL UNIQUE,
    scopes          TEXT    NOT NULL, -- JSON list
    max_open        INTEGER NOT NULL,
    minutes_per_day INTEGER,
    created         INTEGER NOT NULL,
    revoked         INTEGER
) WITHOUT ROWID;

CREATE TABLE prices (
    instance_type      TEXT    NOT NULL,
    valid_from         INTEGER NOT NULL,
    micro_usd_per_hour INTEGER NOT NULL,
    PRIMARY KEY (instance_type, valid_from)
) WITHOUT ROWID;

-- One row that readiness writes.
CREATE TABLE checks (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    n  INTEGER NOT NULL
);
INSERT INTO checks VALUES (1, 0);
