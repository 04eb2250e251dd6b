-- name: propose
-- An account that a bank asks to have changed; the same again changes nothing.
INSERT INTO settlement_account_change (batch, line, code, account_id, revision, sealed, who,
                                       recorded_on)
SELECT $1, $2, $3, $4, (SELECT coalesce(max(revision), 0) FROM settlement_payout), $5, $6, $7
    ON CONFLICT DO NOTHING RETURNING 1;

-- name: changes
-- Accounts that still wait to be changed.
SELECT partner, batch, line, code, account_id, recorded_on
  FROM settlement_account_change_open ORDER BY recorded_on, batch COLLATE "C", line, code;

-- name: change
-- What a bank asks for, sealed, of one payment; the newest first.
SELECT partner, batch, line, code, account_id, recorded_on, sealed
  FROM settlement_account_change_open WHERE (batch, line) = ($1, $2)
 ORDER BY recorded_on DESC, code DESC;

-- name: unanswered
-- Batches sent on a day or before, of which the partner has not said everything.
SELECT partner, batch, sent_on, layouts
  FROM settlement_unanswered WHERE sent_on <= $1 ORDER BY partner COLLATE "C", sequence;
