-- name: export_snapshot
-- The instant of this transaction, for others to read at.
SELECT pg_export_snapshot();

-- name: import_snapshot
-- Read at an exported instant; the first statement of its transaction.
SET TRANSACTION SNAPSHOT '{snapshot}';

-- name: merchants
-- The purchases of an issuer, in no order: which merchants there were stands in their bodies.
SELECT body FROM purchase WHERE issuer_id = $1;
