-- name: card_streams
-- The streams of the partitions of card-transactions.
SELECT stream_id, name FROM stream WHERE name LIKE 'card-transactions/%' ORDER BY stream_id;

-- name: next_revision
-- Draw a revision of the facts; the row stays locked to commit, so revisions commit in order.
UPDATE fact_revision SET revision = revision + 1 RETURNING revision;

-- name: act
-- Whom the audit names for what this transaction writes.
SELECT set_config('milepost.actor', $1, true);

-- name: current_members
-- The rows that hold now of these accounts: the latest revision of each key.
SELECT DISTINCT ON (account_id, card_token, program, enrolled_from)
       account_id, card_token, program, enrolled_from, enrolled_to, member_id, card_product,
       partner, membership_number, revision
  FROM member_row
 WHERE account_id = ANY($1::text[])
 ORDER BY account_id, card_token, program, enrolled_from, revision DESC;

-- name: current_dates
-- The dates that hold now of these accounts.
SELECT DISTINCT ON (account_id) account_id, opened_on, closed_on, cycle_day, revision
  FROM account_dates
 WHERE account_id = ANY($1::text[])
 ORDER BY account_id, revision DESC;

-- name: current_activations
-- The activations that hold now of these accounts.
SELECT DISTINCT ON (account_id, code, activated_on)
       account_id, code, activated_on, withdrawn_on, revision
  FROM activation
 WHERE account_id = ANY($1::text[])
 ORDER BY account_id, code, activated_on, revision DESC;

-- name: of_issuer
-- Accounts of a stream that have purchases with an issuer.
SELECT DISTINCT account_id FROM purchase WHERE stream_id = $1 AND issuer_id = $2
 ORDER BY account_id;

-- name: with_failed
-- Accounts of a stream with events whose decision broke.
SELECT DISTINCT account_id FROM waiting_event WHERE stream_id = $1 AND issuer_id = $2
 ORDER BY account_id;

-- name: apply_contract
-- A version as signed; its approval is another person's.
INSERT INTO contract_version (contract, version, issuer, program, partner, document, sha256, terms,
                              author, revision, applied_on)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: approve_contract
-- The approval; the database refuses the author.
INSERT INTO contract_approval (contract, version, author_key, approver, revision, approved_on)
SELECT contract, version, author_key, $3, $4, $5 FROM contract_version
 WHERE contract = $1 AND version = $2
RETURNING contract;

-- name: contracts
-- Every version with its author and, if there is one, its approval.
SELECT v.contract, v.version, v.issuer, v.program, v.partner, v.document, v.sha256, v.author,
       v.applied_on, v.revision, a.approver, a.approved_on, a.revision AS approved_revision
  FROM contract_version AS v LEFT JOIN contract_approval AS a USING (contract, version)
 ORDER BY v.contract, v.version;

-- name: members
-- What is recorded of a member or an account: every row, newest last.
SELECT member_id, account_id, card_token, card_product, program, enrolled_from, enrolled_to,
       partner, membership_number, revision
  FROM member_row WHERE member_id = $1 OR account_id = $1
 ORDER BY account_id, program, enrolled_from, card_token, revision;

-- name: dates
-- What is recorded of the dates of these accounts, newest last.
SELECT account_id, opened_on, closed_on, cycle_day, revision FROM account_dates
 WHERE account_id = ANY($1::text[]) ORDER BY account_id, revision;

-- name: activations
-- What was activated for these accounts, and withdrawn; of equal days the newest last.
SELECT account_id, code, activated_on, withdrawn_on, revision FROM activation
 WHERE account_id = ANY($1::text[]) ORDER BY account_id, code, activated_on, revision;
