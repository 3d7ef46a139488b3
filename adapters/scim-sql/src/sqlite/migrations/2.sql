-- Keys of marked attributes, in place of a column and an index for each of a few.

-- Which attributes of which kinds have keys. Absent parts of a location are empty.
CREATE TABLE mark (
    number       INTEGER NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL,
    extension    TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    sub          TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    text_case    TEXT    NOT NULL,
    multi_valued INTEGER NOT NULL
) STRICT;

-- One row a value. `uses` are bits: 1 and 2, filters over what was sent and what counts find it; 4 and 8, the resource sorts by it there.
-- Who has no value to sort by stands below the mark's number below zero.
CREATE TABLE text_key (
    tenant TEXT    NOT NULL,
    mark   INTEGER NOT NULL,
    value  TEXT    NOT NULL,
    place  INTEGER NOT NULL,
    uses   INTEGER NOT NULL,
    PRIMARY KEY (tenant, mark, value, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE number_key (
    tenant TEXT    NOT NULL,
    mark   INTEGER NOT NULL,
    value  INTEGER NOT NULL,
    place  INTEGER NOT NULL,
    uses   INTEGER NOT NULL,
    PRIMARY KEY (tenant, mark, value, place)
) STRICT, WITHOUT ROWID;

DROP TABLE email;
DROP INDEX resource_user_name;
DROP INDEX resource_external_id;
DROP INDEX resource_display_name;
DROP INDEX resource_last_modified;
ALTER TABLE resource DROP COLUMN user_name;
ALTER TABLE resource DROP COLUMN external_id;
ALTER TABLE resource DROP COLUMN display_name;
ALTER TABLE resource DROP COLUMN active;

-- A checksum of organisation, kind, id and the documents. Rows from before get theirs when the file is opened.
ALTER TABLE resource ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;

-- What each layout was made by.
CREATE TABLE migration (
    number   INTEGER NOT NULL PRIMARY KEY,
    checksum INTEGER NOT NULL
) STRICT;

CREATE INDEX resource_id ON resource (tenant, kind, id, place);
CREATE INDEX resource_created ON resource (tenant, kind, created, place);
CREATE INDEX resource_last_modified ON resource (tenant, kind, last_modified, place);

-- All keys are written when the file is opened.
DELETE FROM meta WHERE name = 'fold';
INSERT INTO meta (name, value) VALUES ('keys', '');

DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('resource',   'sqlite_autoindex_resource_1', '1000000 100000 1'),
    ('resource',   'resource_place',              '1000000 100000 50000 1'),
    ('resource',   'resource_id',                 '1000000 100000 50000 1 1'),
    ('resource',   'resource_created',            '1000000 100000 50000 10 1'),
    ('resource',   'resource_last_modified',      '1000000 100000 50000 10 1'),
    ('resource',   'resource_owner',              '1000000 100000 50000 20000 1'),
    ('text_key',   'text_key',                    '5000000 500000 100000 1 1'),
    ('number_key', 'number_key',                  '2000000 200000 100000 2 1'),
    ('edge',       'edge',                        '5000000 500000 100 1'),
    ('edge',       'edge_reverse',                '5000000 500000 10 1');
ANALYZE sqlite_schema;
