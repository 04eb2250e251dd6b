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
