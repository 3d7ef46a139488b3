-- What must survive that the file beside it is replaced by an older copy. Names are those of its tables, and mean the same.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- All that the file did up to `position` is here, but for what it did up to `forgotten`.
CREATE TABLE organisation (
    tenant    TEXT    NOT NULL PRIMARY KEY,
    position  INTEGER NOT NULL,
    forgotten INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE gone (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE claim (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    space    TEXT    NOT NULL,
    value    TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, position, space, value)
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 1;
