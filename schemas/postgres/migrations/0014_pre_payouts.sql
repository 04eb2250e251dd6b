-- Where members are paid, and who pays. Names and accounts are sealed to the payout key before they
-- come here: the database never sees one. A row is never changed; the newest up to a batch's facts
-- holds for it, so the same batch pays the same accounts whenever its files are made again.
CREATE TABLE settlement_payout (
  role         text NOT NULL CHECK (role IN ('payee', 'payer')),
  owner        text NOT NULL CHECK (btrim(owner) <> ''),  -- account id of a payee, partner of a payer
  revision     bigint NOT NULL,
  sealed       bytea NOT NULL,
  recorded_by  text NOT NULL CHECK (btrim(recorded_by) <> ''),
  recorded_on  date NOT NULL,
  CONSTRAINT settlement_payout_once PRIMARY KEY (role, owner, revision)
);

GRANT SELECT, INSERT ON settlement_payout TO milepost_app, milepost_operator;
GRANT SELECT ON settlement_payout TO milepost_approver, milepost_auditor;

-- Nobody else, whoever owns the table: a partner and the author of a contract see no row.
ALTER TABLE settlement_payout ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_payout FORCE ROW LEVEL SECURITY;
CREATE POLICY house ON settlement_payout TO milepost_app, milepost_approver, milepost_operator,
  milepost_auditor, CURRENT_USER USING (true) WITH CHECK (true);
