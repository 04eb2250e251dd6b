-- name: lock
-- Every stream stands still to the end of the transaction: nothing is recorded across a closing.
SELECT stream_id, next_seq - 1 AS seq FROM stream_position ORDER BY stream_id FOR UPDATE;

-- name: closings
-- The closed periods, in order.
SELECT period, opens_on, who, recorded_on FROM period_close ORDER BY period;

-- name: close
-- Close a period after the latest one that is closed.
INSERT INTO period_close (period, previous, who, recorded_on, streams)
VALUES ($1, (SELECT max(period) FROM period_close), $2, $3, $4);

-- name: add_positions
-- How far every stream was.
INSERT INTO period_close_position (period, stream_id, seq)
SELECT $1, * FROM unnest($2::smallint[], $3::bigint[]);

-- name: add_balances
-- The trial balance that is closed.
INSERT INTO period_close_balance (period, unit, account, debit, credit)
SELECT $1, unit, CASE WHEN account LIKE 'member/%' THEN 'member/*' ELSE account END,
       coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0)::bigint,
       coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)::bigint
  FROM accounting_posting((SELECT opens_on - 1 FROM period_close WHERE period = $1))
 GROUP BY 2, 3;

-- name: balances
-- What was closed.
SELECT unit, account, debit, credit FROM period_close_balance WHERE period = $1
 ORDER BY unit COLLATE "C", account COLLATE "C";
