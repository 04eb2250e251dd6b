-- name: purchases_by_link
-- The purchases of these keys. A hit on a key is a suspicion: the caller compares the text.
SELECT p.stream_id, p.purchase, p.issuer_id, p.account_id, p.body
  FROM unnest($1::bigint[], $2::bigint[]) AS w (account_key, link_key)
  JOIN purchase AS p ON (p.account_key, p.link_key) = (w.account_key, w.link_key);

-- name: purchases_by_exact_key
-- The purchases that hold events with these exact keys, as `exact_key` makes them.
SELECT p.stream_id, p.purchase, p.issuer_id, p.account_id, p.body
  FROM purchase AS p WHERE p.exact_keys && $1::bigint[];

-- name: purchases_by_account
-- All purchases of these accounts.
SELECT p.stream_id, p.purchase, p.issuer_id, p.account_id, p.body
  FROM purchase AS p WHERE p.account_key = ANY($1::bigint[]);

-- name: update_purchases
-- Purchases that got more events or other grants.
UPDATE purchase AS p SET label = w.label, body = w.body
  FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::bytea[])
    AS w (stream_id, purchase, label, body)
 WHERE (p.stream_id, p.purchase) = (w.stream_id, w.purchase);

-- name: update_exact_keys
-- The exact keys by which purchases are found, as text with commas.
UPDATE purchase AS p SET exact_keys = w.exact_keys::bigint[]
  FROM unnest($1::smallint[], $2::bigint[], $3::text[]) AS w (stream_id, purchase, exact_keys)
 WHERE (p.stream_id, p.purchase) = (w.stream_id, w.purchase);

-- name: totals
-- The running totals of these keys.
SELECT total_key, unit, total, granted FROM scope_total WHERE total_key = ANY($1::uuid[]);

-- name: update_totals
-- Totals that were there before, as they stand after the batch.
UPDATE scope_total AS t SET total = w.total, granted = w.granted
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS w (total_key, total, granted)
 WHERE t.total_key = w.total_key;

-- name: waiting
-- Events of these accounts that have no purchase yet.
SELECT stream_id, seq, account_id, reason, body, exact_keys FROM waiting_event
 WHERE account_key = ANY($1::bigint[]) ORDER BY seq;

-- name: delete_waiting
-- Events that have joined a purchase.
DELETE FROM waiting_event AS e USING unnest($1::smallint[], $2::bigint[]) AS w (stream_id, seq)
 WHERE (e.stream_id, e.seq) = (w.stream_id, w.seq);
