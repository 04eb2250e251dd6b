-- name: streams
-- The streams of card-transactions and where they stand.
SELECT s.stream_id, s.name, p.next_seq - 1 AS last
  FROM stream AS s JOIN stream_position AS p USING (stream_id)
 WHERE s.name LIKE 'card-transactions/%' ORDER BY s.stream_id;

-- name: events
-- The next events of a stream.
SELECT stream_id, seq, role, body, outcome, reason, revision, exact_keys FROM card_event
 WHERE stream_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: transfer
-- Transfers of card streams that only the ledger has, or only the rebuild.
(SELECT 'ledger' AS side, d.* FROM (
  SELECT * FROM public.transfer WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM milepost_rebuild.transfer) AS d LIMIT $1)
UNION ALL
(SELECT 'rebuild', d.* FROM (
  SELECT * FROM milepost_rebuild.transfer WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM public.transfer) AS d LIMIT $1);

-- name: balance
-- Balances of card streams; a row of zero and no row are the same.
(SELECT 'ledger' AS side, d.* FROM (
  SELECT * FROM public.balance WHERE amount <> 0 AND stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM milepost_rebuild.balance) AS d LIMIT $1)
UNION ALL
(SELECT 'rebuild', d.* FROM (
  SELECT * FROM milepost_rebuild.balance WHERE amount <> 0 AND stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM public.balance) AS d LIMIT $1);

-- name: purchase
-- Purchases with their legs and grants.
(SELECT 'ledger' AS side, d.* FROM (
  SELECT * FROM public.purchase WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM milepost_rebuild.purchase) AS d LIMIT $1)
UNION ALL
(SELECT 'rebuild', d.* FROM (
  SELECT * FROM milepost_rebuild.purchase WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM public.purchase) AS d LIMIT $1);

-- name: scope_total
-- Running totals; a total that moved back to zero and no row are the same.
(SELECT 'ledger' AS side, d.* FROM (
  SELECT * FROM public.scope_total WHERE total <> 0 AND stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM milepost_rebuild.scope_total) AS d LIMIT $1)
UNION ALL
(SELECT 'rebuild', d.* FROM (
  SELECT * FROM milepost_rebuild.scope_total WHERE total <> 0 AND stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM public.scope_total) AS d LIMIT $1);

-- name: waiting_event
-- Events without a purchase.
(SELECT 'ledger' AS side, d.* FROM (
  SELECT * FROM public.waiting_event WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM milepost_rebuild.waiting_event) AS d LIMIT $1)
UNION ALL
(SELECT 'rebuild', d.* FROM (
  SELECT * FROM milepost_rebuild.waiting_event WHERE stream_id = ANY($2::smallint[])
  EXCEPT SELECT * FROM public.waiting_event) AS d LIMIT $1);

-- name: drop_shadow
-- The schema of a rebuild, whole.
DROP SCHEMA IF EXISTS milepost_rebuild CASCADE;

-- name: lock_shadow
-- One rebuild at a time; false when another one runs.
SELECT pg_try_advisory_lock(hashtextextended('milepost.rebuild', 0));

-- name: copy_facts
-- What a rebuild takes as given: streams, contracts, members, dates and activations.
INSERT INTO milepost_rebuild.stream SELECT * FROM public.stream;
INSERT INTO milepost_rebuild.contract_version
  (contract, version, issuer, program, partner, document, sha256, terms, author, revision,
   applied_on)
SELECT contract, version, issuer, program, partner, document, sha256, terms, author, revision,
       applied_on FROM public.contract_version;
INSERT INTO milepost_rebuild.contract_approval SELECT * FROM public.contract_approval;
INSERT INTO milepost_rebuild.member_row SELECT * FROM public.member_row;
INSERT INTO milepost_rebuild.account_dates SELECT * FROM public.account_dates;
INSERT INTO milepost_rebuild.activation SELECT * FROM public.activation;
