-- Text compares by code point (BINARY) everywhere: what must compare otherwise is folded before it comes here.
-- The organisation leads every key. Times are microseconds since 1970.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Without an epoch a file gets one when it is opened. What was folded by other rules than today's is folded again.
INSERT INTO meta (name, value) VALUES ('epoch', ''), ('fold', '');

-- `position` is the last one of the log, `made` counts the resources ever made, `clock` is the latest time of a batch.
CREATE TABLE organisation (
    tenant   TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    made     INTEGER NOT NULL,
    clock    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE population (
    tenant    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    resources INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE resource (
    tenant        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    place         INTEGER NOT NULL,
    own           INTEGER NOT NULL,
    memberships   INTEGER NOT NULL,
    created       INTEGER NOT NULL,
    last_modified INTEGER NOT NULL,
    -- Copied from `sent`, folded as the attribute compares, for filters.
    user_name     TEXT,
    external_id   TEXT,
    display_name  TEXT,
    active        INTEGER,
    -- Copied from what the service keeps in `assigned`.
    owner         TEXT,
    sent          TEXT    NOT NULL,
    assigned      TEXT    NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE UNIQUE INDEX resource_place ON resource (tenant, kind, place);
CREATE INDEX resource_last_modified ON resource (tenant, kind, last_modified);
CREATE INDEX resource_user_name ON resource (tenant, kind, user_name) WHERE user_name IS NOT NULL;
CREATE INDEX resource_external_id ON resource (tenant, kind, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX resource_display_name ON resource (tenant, kind, display_name) WHERE display_name IS NOT NULL;
CREATE INDEX resource_owner ON resource (tenant, kind, owner, place) WHERE owner IS NOT NULL;

-- One row an element of `emails`.
CREATE TABLE email (
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,
    value  TEXT,
    FOREIGN KEY (tenant, id) REFERENCES resource (tenant, id)
) STRICT;

CREATE INDEX email_owner ON email (tenant, id);
CREATE INDEX email_value ON email (tenant, value, id);

CREATE TABLE edge (
    tenant    TEXT NOT NULL,
    group_id  TEXT NOT NULL,
    member_id TEXT NOT NULL,
    PRIMARY KEY (tenant, group_id, member_id),
    FOREIGN KEY (tenant, group_id) REFERENCES resource (tenant, id),
    FOREIGN KEY (tenant, member_id) REFERENCES resource (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX edge_reverse ON edge (tenant, member_id, group_id);

CREATE TABLE unique_key (
    tenant    TEXT NOT NULL,
    kind      TEXT NOT NULL,
    attribute TEXT NOT NULL,
    folded    TEXT NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (tenant, kind, attribute, folded)
) STRICT, WITHOUT ROWID;

CREATE INDEX unique_key_owner ON unique_key (tenant, id);

CREATE TABLE claim (
    tenant TEXT NOT NULL,
    space  TEXT NOT NULL,
    value  TEXT NOT NULL,
    kind   TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, space, value)
) STRICT, WITHOUT ROWID;

-- From `first` up to `next`, which it leaves out, no number is free in all of `spaces`. Claims stay, so this never becomes untrue.
CREATE TABLE claim_hint (
    tenant TEXT    NOT NULL,
    spaces TEXT    NOT NULL,
    first  INTEGER NOT NULL,
    next   INTEGER NOT NULL,
    PRIMARY KEY (tenant, spaces, first)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    deleted  INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    tenant   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    role     TEXT    NOT NULL,
    actor    TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    what     TEXT    NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT;

-- How selective the indexes of a large organisation are. Written once, never measured, so that plans are the same in every file.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('resource', 'sqlite_autoindex_resource_1', '1000000 100000 1'),
    ('resource', 'resource_place',              '1000000 100000 50000 1'),
    ('resource', 'resource_last_modified',      '1000000 100000 50000 10'),
    ('resource', 'resource_user_name',          '1000000 100000 50000 1'),
    ('resource', 'resource_external_id',        '1000000 100000 50000 1'),
    ('resource', 'resource_display_name',       '1000000 100000 50000 2'),
    ('resource', 'resource_owner',              '1000000 100000 50000 20000 1'),
    ('email',    'email_owner',                 '1000000 100000 1'),
    ('email',    'email_value',                 '1000000 100000 1 1'),
    ('edge',     'edge',                        '5000000 500000 100 1'),
    ('edge',     'edge_reverse',                '5000000 500000 10 1');
ANALYZE sqlite_schema;
