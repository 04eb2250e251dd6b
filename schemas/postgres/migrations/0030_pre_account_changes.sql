-- Accounts that a bank asks to have changed (NACHA: notification of change). What it asks for is
-- sealed to the payout key before it comes here. It changes nothing by itself: it waits until a
-- person stores another account of the member.
CREATE TABLE settlement_account_change (
  batch        text NOT NULL,
  line         integer NOT NULL,               -- the first line of the payment
  code         text NOT NULL CHECK (code ~ '^C[0-9]{2}$'),
  account_id   text NOT NULL,
  revision     bigint NOT NULL,                -- the newest of the payout table when it came
  sealed       bytea NOT NULL,
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  CONSTRAINT settlement_account_change_once PRIMARY KEY (batch, line, code),
  FOREIGN KEY (batch, line) REFERENCES settlement_line (batch, line)
);

-- Those that still wait.
CREATE VIEW settlement_account_change_open WITH (security_invoker = true) AS
  SELECT b.partner, c.* FROM settlement_account_change AS c JOIN settlement_batch AS b USING (batch)
   WHERE NOT EXISTS (SELECT FROM settlement_payout AS p
                      WHERE p.role = 'payee' AND p.owner = c.account_id AND p.revision > c.revision);

-- Batches that were sent and of which the partner has not said everything: since when, in which
-- layouts they went out.
CREATE VIEW settlement_unanswered WITH (security_invoker = true) AS
  SELECT b.partner, b.sequence, b.batch, s.recorded_on AS sent_on,
         ARRAY(SELECT DISTINCT f.layout FROM settlement_file AS f WHERE f.batch = b.batch
                ORDER BY f.layout) AS layouts
    FROM settlement_batch AS b JOIN settlement_batch_state AS s USING (batch)
   WHERE s.state = 'SENT';

ALTER TABLE settlement_account_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_account_change FORCE ROW LEVEL SECURITY;
CREATE POLICY house ON settlement_account_change TO milepost_app, milepost_author,
  milepost_approver, milepost_operator, milepost_auditor, CURRENT_USER
  USING (true) WITH CHECK (true);

GRANT SELECT, INSERT ON settlement_account_change TO milepost_app, milepost_operator;
GRANT SELECT ON settlement_account_change TO milepost_author, milepost_approver, milepost_auditor;
GRANT SELECT ON settlement_account_change_open, settlement_unanswered TO milepost_app,
  milepost_author, milepost_approver, milepost_operator, milepost_auditor;
