-- name: add_balances
-- Running balances, moved by a batch's pre-aggregated differences.
INSERT INTO balance AS b (stream_id, account, unit, amount)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[])
    ON CONFLICT (stream_id, account, unit) DO UPDATE SET amount = b.amount + EXCLUDED.amount;
