-- What the ledger beside the file is told, and by which name it knows the file: none until it has one.
INSERT INTO meta (name, value) VALUES ('ledger', '');

-- The first position of the batch that took it.
ALTER TABLE claim ADD COLUMN position INTEGER NOT NULL DEFAULT 0;

CREATE INDEX claim_position ON claim (tenant, position);

-- In `log`, `deleted` is 2 where a resource has ended and is still there to be read.
