-- Which notes of its ledger the file has: all up to a number, whose note has that stamp; and the last of these that was flushed.
CREATE TABLE noted (
    number        INTEGER NOT NULL,
    stamp         INTEGER NOT NULL,
    flushed       INTEGER NOT NULL,
    flushed_stamp INTEGER NOT NULL
) STRICT;

INSERT INTO noted VALUES (0, 0, 0, 0);

-- Numbers below it are noted in the ledger as a block.
ALTER TABLE claim_hint ADD COLUMN reserved INTEGER NOT NULL DEFAULT 0;

-- Whether the resource has come to its end and is there only to be read.
ALTER TABLE resource ADD COLUMN ended INTEGER NOT NULL DEFAULT 0;

UPDATE resource SET ended = 1 WHERE EXISTS (
    SELECT 1 FROM log l WHERE l.tenant = resource.tenant AND l.id = resource.id AND l.deleted = 2);

-- What the ledger lacks is found by comparing.
DROP INDEX claim_position;
ALTER TABLE claim DROP COLUMN position;

-- A claim without an owner is one of a block: the ledger knows that it may have been given out, and not to which resource.
