-- Times are whole milliseconds, as answers show them; the column keeps its unit.
UPDATE resource SET
    created = created - created % 1000,
    last_modified = last_modified - last_modified % 1000
WHERE created % 1000 <> 0 OR last_modified % 1000 <> 0;

UPDATE organisation SET clock = clock - clock % 1000;
