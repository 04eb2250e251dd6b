-- name: add_cursors
-- A cursor for every stream that has none.
INSERT INTO publisher_cursor (stream_id)
SELECT stream_id FROM stream WHERE name NOT LIKE 'dead-letters/%'
    ON CONFLICT (stream_id) DO NOTHING;

-- name: lease
-- Take every stream that this publisher does not hold; whoever held it is fenced.
UPDATE publisher_cursor AS c SET epoch = c.epoch + 1, owner = $1
  FROM stream AS s
 WHERE s.stream_id = c.stream_id AND NOT c.stream_id = ANY($2::smallint[])
RETURNING c.stream_id, s.name, c.epoch, c.seq;

-- name: ends
-- The last committed sequence number of each stream.
SELECT stream_id, next_seq - 1 AS seq FROM stream_position;

-- name: transfers
-- The transfers of a range of events, in the one order, with what names their purchase.
SELECT t.seq, t.leg, t.entry, t.account_id, t.contract, t.version, t.rule, t.funder, t.unit,
       t.debit, t.credit, t.amount, t.effective_on, t.available_on, p.issuer_id, p.label,
       e.role, e.body
  FROM transfer AS t
  JOIN card_event AS e ON (e.stream_id, e.seq) = (t.stream_id, t.seq)
  JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
 WHERE t.stream_id = $1 AND t.seq > $2 AND t.seq <= $3
 ORDER BY t.seq, t.leg;

-- name: move
-- What was acknowledged by the broker; no row means that another publisher holds the stream.
UPDATE publisher_cursor SET seq = $4
 WHERE stream_id = $1 AND epoch = $2 AND seq = $3
RETURNING seq;
