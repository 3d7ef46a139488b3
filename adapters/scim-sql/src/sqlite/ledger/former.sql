-- From layout 1: this part runs when the tables of layout 2 are made.
INSERT INTO meta SELECT name, value FROM former_meta;
INSERT INTO meta SELECT 'begun', '' FROM former_meta WHERE name = 'ledger';

INSERT INTO note (transaction_, flushed, former, tenant, before_stamp, before, stamp, position, at)
SELECT 0, 1, 1, tenant, 0, 0, random(), position, max(at)
FROM (SELECT tenant, position, at FROM former_gone UNION ALL SELECT tenant, position, at FROM former_claim)
GROUP BY tenant, position ORDER BY max(at), tenant, position;

CREATE INDEX former_note ON note (tenant, position);
INSERT INTO claim SELECT n.number, c.space, c.value, c.kind, c.id
    FROM former_claim c JOIN note n ON n.tenant = c.tenant AND n.position = c.position;
INSERT INTO gone (note, kind, id) SELECT n.number, g.kind, g.id
    FROM former_gone g JOIN note n ON n.tenant = g.tenant AND n.position = g.position ORDER BY n.number;
DROP INDEX former_note;
DROP TABLE former_claim;
DROP TABLE former_gone;
DROP TABLE former_meta;
