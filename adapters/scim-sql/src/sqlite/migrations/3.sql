-- What the ledger beside the file is told, and by which name it knows the file: none until it has one.
INSERT INTO meta (name, value) VALUES ('ledger', '');

-- The first position of the batch that took it.
ALTER TABLE claim ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

CREATE INDEX claim_position ON claim (tenant, position);

-- In `log`, `deleted` is 2 where a resource has ended and is still there to be read.

-- How each attribute compares, so that keys can be folded again. Where no mark says it, only user names compare as names do.
ALTER TABLE unique_key ADD COLUMN text_case TEXT NOT NULL DEFAULT '';

UPDATE unique_key SET text_case = coalesce(
    (SELECT m.text_case FROM mark m
     WHERE m.kind = unique_key.kind AND m.extension = '' AND m.name = unique_key.attribute AND m.sub = ''),
    iif(attribute = 'userName', 'name', 'folded'));
