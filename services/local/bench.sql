-- name: stands
-- How far each stream is recorded and published.
SELECT s.stream_id, p.next_offset, p.next_seq - 1 AS seq, coalesce(c.seq, 0) AS published
  FROM stream AS s
  JOIN stream_position AS p USING (stream_id)
  LEFT JOIN publisher_cursor AS c USING (stream_id)
 WHERE s.name LIKE 'card-transactions/%';

-- name: stamped
-- Offset and time of every record after a place in each stream.
SELECT e.stream_id, e.offset_at, e.recorded_at
  FROM unnest($1::smallint[], $2::bigint[]) AS w (stream_id, seq)
  JOIN card_event AS e ON e.stream_id = w.stream_id AND e.seq > w.seq
 WHERE e.offset_at IS NOT NULL;

-- name: outcomes
-- What the events came to.
SELECT outcome, count(*) AS events FROM card_event WHERE role <> 'command' GROUP BY outcome;

-- name: floor_tables
-- Empty twins of the tables that a batch writes, with their keys and indexes.
CREATE SCHEMA floor;
CREATE TABLE floor.span (stream_id smallint, after bigint, through bigint);
CREATE TABLE floor.card_event (LIKE card_event INCLUDING ALL);
CREATE TABLE floor.event_identity (LIKE event_identity INCLUDING ALL);
CREATE TABLE floor.purchase (LIKE purchase INCLUDING ALL);
CREATE TABLE floor.scope_total (LIKE scope_total INCLUDING ALL);
CREATE TABLE floor.transfer (LIKE transfer INCLUDING ALL);
CREATE TABLE floor.balance (LIKE balance INCLUDING ALL);

-- name: floor_emptied
-- The twins are empty again.
TRUNCATE floor.span, floor.card_event, floor.event_identity, floor.purchase, floor.scope_total,
         floor.transfer, floor.balance;

-- name: floor_gone
-- No twin is left for those who look at the tables afterwards.
DROP SCHEMA floor CASCADE;

-- name: card_event
-- The events of the span.
SELECT e.* FROM card_event AS e
  JOIN floor.span AS w ON e.stream_id = w.stream_id AND e.seq > w.after AND e.seq <= w.through;

-- name: event_identity
-- Their identities.
SELECT e.* FROM event_identity AS e
  JOIN floor.span AS w ON e.stream_id = w.stream_id AND e.seq > w.after AND e.seq <= w.through;

-- name: purchase
-- The purchases that they opened.
SELECT p.* FROM purchase AS p
  JOIN floor.span AS w
    ON p.stream_id = w.stream_id AND p.purchase > w.after AND p.purchase <= w.through;

-- name: transfer
-- The transfers that they caused.
SELECT t.* FROM transfer AS t
  JOIN floor.span AS w ON t.stream_id = w.stream_id AND t.seq > w.after AND t.seq <= w.through;

-- name: scope_total
-- The totals of the accounts that they moved.
SELECT s.* FROM scope_total AS s
 WHERE s.scope_id IN (
   SELECT t.account_id FROM transfer AS t
     JOIN floor.span AS w ON t.stream_id = w.stream_id AND t.seq > w.after AND t.seq <= w.through);

-- name: balance
-- The balances that they moved.
SELECT b.* FROM balance AS b
 WHERE b.account IN (
   SELECT unnest(ARRAY[t.debit, t.credit]) FROM transfer AS t
     JOIN floor.span AS w ON t.stream_id = w.stream_id AND t.seq > w.after AND t.seq <= w.through);

-- name: owners
-- How many processes share the streams; 0 while one of them is nobody's.
SELECT CASE WHEN bool_and(p.owner IS NOT NULL) THEN count(DISTINCT p.owner) ELSE 0 END
  FROM stream AS s JOIN stream_position AS p USING (stream_id)
 WHERE s.name LIKE 'card-transactions/%';
