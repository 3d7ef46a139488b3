-- From layout 1, which knew positions alone: each becomes a note. This part runs before the tables of layout 2 are made.
ALTER TABLE claim RENAME TO former_claim;
ALTER TABLE gone RENAME TO former_gone;
ALTER TABLE meta RENAME TO former_meta;
-- All that the file did up to `position` was here, but for what it did up to `forgotten`.
ALTER TABLE organisation RENAME TO former;
