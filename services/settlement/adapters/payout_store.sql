-- name: next_revision
-- Importing is a change of the facts: batches sealed before do not see it.
UPDATE fact_revision SET revision = revision + 1 RETURNING revision;

-- name: add
-- One sealed row.
INSERT INTO settlement_payout (role, owner, revision, sealed, recorded_by, recorded_on)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: book
-- The payer of a partner and the accounts of members, as they stood at a revision.
SELECT DISTINCT ON (role, owner) role, owner, sealed
  FROM settlement_payout
 WHERE revision <= $2
   AND ((role = 'payer' AND owner = $1) OR (role = 'payee' AND owner = ANY($3::text[])))
 ORDER BY role, owner, revision DESC;

-- name: all_rows
-- The whole table, for a rebuild.
SELECT role, owner, revision, sealed, recorded_by, recorded_on FROM settlement_payout;
