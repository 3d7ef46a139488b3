-- What must survive that the file beside it is replaced by an older copy. Names are those of its tables, and mean the same.

-- `ledger`: by which name the file knows it. `begun`: there once the file has taken the name. `forgotten`: the number of the note up to
-- which nothing is known any more. `withdrawn`: the number of the last note that was withdrawn. `boot`: since which start of the machine
-- it was written.
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a batch that gives something out or ends something, with the ends of the log before and after it, in the order of writing. No
-- number is used twice. `transaction_` is the same for all that were written at once; `flushed` says whether they were then on the disk.
-- `former`: written by layout 1, which had no stamps, so that a file has it where its audit has that resource at that position.
CREATE TABLE note (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    transaction_ INTEGER NOT NULL,
    flushed      INTEGER NOT NULL,
    former       INTEGER NOT NULL DEFAULT 0,
    tenant       TEXT    NOT NULL,
    before_stamp INTEGER NOT NULL,
    before       INTEGER NOT NULL,
    stamp        INTEGER NOT NULL,
    position     INTEGER NOT NULL,
    at           INTEGER NOT NULL
) STRICT;

CREATE TABLE claim (
    note  INTEGER NOT NULL,
    space TEXT    NOT NULL,
    value TEXT    NOT NULL,
    kind  TEXT    NOT NULL,
    id    TEXT    NOT NULL,
    PRIMARY KEY (note, space, value)
) STRICT, WITHOUT ROWID;

-- In the order in which they went.
CREATE TABLE gone (
    note INTEGER NOT NULL,
    kind TEXT    NOT NULL,
    id   TEXT    NOT NULL,
    UNIQUE (note, id)
) STRICT;

-- Below `bound`, numbers of a range that begins with `first` may have been given out in all of `spaces`.
CREATE TABLE block (
    tenant TEXT    NOT NULL,
    spaces TEXT    NOT NULL,
    first  INTEGER NOT NULL,
    bound  INTEGER NOT NULL,
    PRIMARY KEY (tenant, spaces, first)
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES ('forgotten', '0');

PRAGMA user_version = 2;
