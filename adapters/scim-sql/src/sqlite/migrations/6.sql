-- A stamp beside each position: which batch made the change. It takes the place of the epoch of the file.

ALTER TABLE organisation ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;

-- The end of the log at the last entry that was forgotten.
ALTER TABLE organisation ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
ALTER TABLE organisation ADD COLUMN forgotten_stamp INTEGER NOT NULL DEFAULT 0;

ALTER TABLE resource ADD COLUMN own_stamp INTEGER NOT NULL DEFAULT 0;
ALTER TABLE resource ADD COLUMN memberships_stamp INTEGER NOT NULL DEFAULT 0;
ALTER TABLE log ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0;

-- What was done so far has one stamp, which no other file has.
UPDATE meta SET value = CAST(random() AS TEXT) WHERE name = 'epoch';
UPDATE organisation SET stamp = (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch')
    WHERE position > 0;
UPDATE organisation SET forgotten = coalesce(
    (SELECT min(l.position) - 1 FROM log l WHERE l.tenant = organisation.tenant), position);
UPDATE organisation SET forgotten_stamp = stamp WHERE forgotten > 0;
UPDATE resource SET own_stamp = (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch');
UPDATE resource SET memberships_stamp = own_stamp WHERE memberships > 0;
UPDATE log SET stamp = (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch');
UPDATE audit SET stamp = (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'epoch');
DELETE FROM meta WHERE name = 'epoch';
