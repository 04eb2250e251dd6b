-- name: next_revision
-- Importing is a change of the facts: batches sealed before do not see it.
UPDATE fact_revision SET revision = revision + 1 RETURNING revision;

-- name: add
-- Sealed rows, in one statement: the audit counts them.
INSERT INTO settlement_payout
  (role, owner, revision, sealed, recorded_by, recorded_on, accepts)
SELECT role, owner, $1, sealed, $5, $6, $7
  FROM unnest($2::text[], $3::text[], $4::bytea[]) AS w (role, owner, sealed);

-- name: book
-- The payer of a partner and the accounts of members, as they stood at a revision.
SELECT DISTINCT ON (role, owner) role, owner, sealed
  FROM settlement_payout
 WHERE revision <= $2
   AND ((role = 'payer' AND owner = $1) OR (role = 'payee' AND owner = ANY($3::text[])))
 ORDER BY role, owner, revision DESC;

-- name: history
-- Every account of members, as they stood one after the other up to a revision.
SELECT owner, revision, sealed FROM settlement_payout
 WHERE role = 'payee' AND owner = ANY($1::text[]) AND revision <= $2 ORDER BY owner, revision;

-- name: all_rows
-- The whole table, for a rebuild.
SELECT role, owner, revision, sealed, recorded_by, recorded_on, accepts FROM settlement_payout;
