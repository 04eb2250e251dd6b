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

-- ── what came back ──────────────────────────────────────────────────────────────────────────

-- Lines that came back because the member cannot be reached where they went: an account is closed,
-- a number is unknown. Whether a code says so is judged when the answer is taken in and stays.
ALTER TABLE acknowledgement
  ADD COLUMN came_back boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT acknowledgement_came_back CHECK (NOT came_back OR outcome = 'REJECTED');
CREATE INDEX acknowledgement_by_came_back ON acknowledgement (batch, line) WHERE came_back;

-- The last such line of a member and number ('' for a payout). Facts says which account it went to.
CREATE VIEW settlement_came_back WITH (security_invoker = true) AS
  SELECT DISTINCT ON (b.partner, l.account_id, l.membership_number)
         b.partner, l.account_id, l.membership_number, b.facts, a.batch, a.line, a.code,
         a.recorded_on
    FROM acknowledgement AS a
    JOIN settlement_line AS l USING (batch, line)
    JOIN settlement_batch AS b USING (batch)
   WHERE a.came_back
   ORDER BY b.partner, l.account_id, l.membership_number, b.facts DESC, b.sequence DESC, a.line DESC;

GRANT SELECT ON settlement_came_back TO milepost_app, milepost_author, milepost_approver,
  milepost_operator, milepost_auditor;
