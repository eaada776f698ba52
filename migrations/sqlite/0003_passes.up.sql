-- The right to act for a key without its secret: links that open the page once, and the page's own sessions.

CREATE TABLE passes (
    hash    TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of what its holder has, hexadecimal
    kind    TEXT    NOT NULL,             -- link, page
    api_key BLOB    NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX passes_by_key ON passes (api_key, kind, expires);
CREATE INDEX passes_by_end ON passes (expires);
