-- The revision of a batch says how many earlier batches of the same partner and day it restates:
-- those that were withdrawn before it was sealed. 0 is the first sealing of a cycle.

-- What the revision of each batch must be, from what the partner's stream recorded before it.
CREATE VIEW settlement_batch_revision WITH (security_invoker = true) AS
  SELECT b.batch, b.revision AS stored,
         (SELECT count(*)
            FROM settlement_batch AS o
            JOIN settlement_state AS w ON (w.batch, w.state) = (o.batch, 'WITHDRAWN')
           WHERE o.partner = b.partner AND o.through = b.through AND o.sequence < b.sequence
             AND EXISTS (SELECT FROM settlement_move AS v
                          WHERE v.batch = o.batch AND v.kind = 'WITHDRAWN' AND v.seq < b.seq)
         )::integer AS revision
    FROM settlement_batch AS b;

-- Batches that were sealed when every one of them said 0. No file of theirs holds it.
UPDATE settlement_batch AS b SET revision = r.revision
  FROM settlement_batch_revision AS r
 WHERE r.batch = b.batch AND r.revision <> r.stored;

ALTER TABLE settlement_batch ALTER COLUMN revision DROP DEFAULT,
  ADD CONSTRAINT settlement_batch_revision_whole CHECK (revision >= 0);

GRANT SELECT ON settlement_batch_revision TO milepost_app, milepost_author, milepost_approver,
  milepost_operator, milepost_auditor;
