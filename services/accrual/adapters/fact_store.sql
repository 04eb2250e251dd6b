-- name: revision
-- The newest revision of the facts that is committed.
SELECT revision FROM fact_revision;

-- name: approved
-- The documents of approved versions, as of a revision.
SELECT v.contract, v.version, v.document, v.author, a.approver, a.revision, a.approved_on
  FROM contract_version AS v JOIN contract_approval AS a USING (contract, version)
 WHERE a.revision <= $1
 ORDER BY v.contract, v.version;

-- name: members
-- Every row of these accounts, as of a revision.
SELECT account_id, card_token, program, enrolled_from, enrolled_to, member_id, card_product,
       partner, membership_number, revision
  FROM member_row
 WHERE account_id = ANY($1::text[]) AND revision <= $2;

-- name: dates
-- The dates of these accounts that held at a revision.
SELECT DISTINCT ON (account_id) account_id, opened_on, closed_on, cycle_day, revision
  FROM account_dates
 WHERE account_id = ANY($1::text[]) AND revision <= $2
 ORDER BY account_id, revision DESC;

-- name: activations
-- The activations of these accounts that held at a revision.
SELECT DISTINCT ON (account_id, code, activated_on)
       account_id, code, activated_on, withdrawn_on, revision
  FROM activation
 WHERE account_id = ANY($1::text[]) AND revision <= $2
 ORDER BY account_id, code, activated_on, revision DESC;

-- name: changed_since
-- Accounts whose rows changed after a revision.
SELECT account_id FROM member_row WHERE revision > $1 AND revision <= $2
UNION
SELECT account_id FROM account_dates WHERE revision > $1 AND revision <= $2
UNION
SELECT account_id FROM activation WHERE revision > $1 AND revision <= $2;
