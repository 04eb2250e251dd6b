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
