-- A running total runs over all of an account, or over one of its cards: `scope_id` is the account
-- or the card token, `account_id` whose it is. Until now every total was of an account.
ALTER TABLE scope_total ADD COLUMN account_id text;
UPDATE scope_total SET account_id = scope_id;
ALTER TABLE scope_total ALTER COLUMN account_id SET NOT NULL;

-- What moved on the account of a fee, signed from the party's side: given beside a reward, taken back
-- with it.
CREATE VIEW fee_movement AS
  SELECT stream_id, seq, leg, entry, account_id, of_stream_id, of_purchase, contract, version, rule,
         funder, unit, substring(CASE WHEN credit LIKE 'fee/%' THEN credit ELSE debit END FROM 5)
           AS party,
         CASE WHEN credit LIKE 'fee/%' THEN amount ELSE -amount END AS amount,
         governing_on, effective_on, available_on
    FROM transfer
   WHERE debit LIKE 'fee/%' OR credit LIKE 'fee/%';

GRANT SELECT ON fee_movement TO milepost_app;

-- What a partner may be paid is what members were granted: a fee between the programme's parties is
-- no part of it.
CREATE OR REPLACE VIEW payable_transfer AS
  SELECT t.stream_id, t.seq, t.leg, t.account_id, p.issuer_id, t.of_stream_id, t.of_purchase,
         p.label AS purchase, t.contract, t.version, t.rule, t.funder, t.unit,
         CASE WHEN t.credit LIKE 'member/%' THEN t.amount ELSE -t.amount END AS amount,
         t.governing_on, t.effective_on, t.available_on, c.partner, c.program, c.terms
    FROM transfer AS t
    JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
    JOIN contract_version AS c ON (c.contract, c.version) = (t.contract, t.version)
   WHERE (t.debit LIKE 'reward-cost/%' AND t.credit LIKE 'member/%')
      OR (t.credit LIKE 'reward-cost/%' AND t.debit LIKE 'member/%');
