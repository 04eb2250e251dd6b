-- name: known
-- Whether an account has a purchase, an event that waits, or a row as a member.
SELECT EXISTS (SELECT FROM purchase WHERE account_key = $1 AND account_id = $2)
    OR EXISTS (SELECT FROM waiting_event WHERE account_key = $1 AND account_id = $2)
    OR EXISTS (SELECT FROM member_row WHERE account_id = $2);

-- name: balances
-- What an account has at a date: earned and not released, earned and released less settled,
-- settled.
SELECT account_id, unit,
       coalesce(sum(amount) FILTER (WHERE NOT settles AND available_on > $2), 0)::bigint AS pending,
       coalesce(sum(amount) FILTER (WHERE settles OR available_on <= $2), 0)::bigint AS available,
       coalesce(-sum(amount) FILTER (WHERE settles), 0)::bigint AS settled
  FROM member_movement
 WHERE account_id = $1 AND effective_on <= $2
 GROUP BY account_id, unit ORDER BY unit COLLATE "C";

-- name: movements
-- Every transfer on a member's account.
SELECT m.stream_id, s.name, m.seq, m.leg, m.entry, m.of_stream_id, m.of_purchase, m.contract,
       m.version, m.rule, m.funder, m.unit, m.amount, m.governing_on, m.effective_on,
       m.available_on, m.settles
  FROM member_movement AS m JOIN stream AS s USING (stream_id)
 WHERE m.account_id = $1 ORDER BY m.stream_id, m.seq, m.leg;

-- name: fees
-- Every transfer of a fee on the rewards of an account.
SELECT f.stream_id, s.name, f.seq, f.leg, f.entry, f.of_stream_id, f.of_purchase, f.contract,
       f.version, f.rule, f.funder, f.unit, f.amount, f.governing_on, f.effective_on,
       f.available_on, false AS settles, f.party
  FROM fee_movement AS f JOIN stream AS s USING (stream_id)
 WHERE f.account_id = $1 ORDER BY f.stream_id, f.seq, f.leg;

-- name: trial_balance
-- Debits and credits through an accounting date, by unit and account.
SELECT unit, account,
       coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0)::bigint AS debit,
       coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0)::bigint AS credit
  FROM (
    SELECT unit, side, amount,
           CASE WHEN $2 OR account NOT LIKE 'member/%' THEN account ELSE 'member/*' END AS account
      FROM accounting_posting($1)
  ) AS counted
 GROUP BY unit, account ORDER BY unit COLLATE "C", account COLLATE "C";

-- name: events_at
-- The events of these places.
SELECT e.stream_id, s.name, e.seq, e.offset_at, e.recorded_at, e.source, e.role, e.outcome, e.reason,
       e.revision, e.body, e.exact_keys
  FROM unnest($1::smallint[], $2::bigint[]) AS w (stream_id, seq)
  JOIN card_event AS e USING (stream_id, seq)
  JOIN stream AS s USING (stream_id);

-- name: stream_end
-- A stream and its last sequence number.
SELECT s.stream_id, p.next_seq - 1 AS last
  FROM stream AS s JOIN stream_position AS p USING (stream_id) WHERE s.name = $1;

-- name: consumed_from
-- The first event at or after a place that came from the topic; commands have no offset.
SELECT seq, offset_at FROM card_event
 WHERE stream_id = $1 AND seq >= $2 AND offset_at IS NOT NULL ORDER BY seq LIMIT 1;

-- name: events_of_source
-- The events that were made of one raw record.
SELECT e.stream_id, s.name, e.seq, e.offset_at, e.recorded_at, e.source, e.role, e.outcome, e.reason,
       e.revision, e.body, e.exact_keys
  FROM card_event AS e JOIN stream AS s USING (stream_id)
 WHERE e.source = $1 ORDER BY e.stream_id, e.seq;

-- name: letters_at
-- A rejection by the place of its raw record, or of the record of its stream's own topic.
SELECT s.name, d.offset_at, d.source_topic, d.source_partition, d.source_offset, d.feed, d.reason,
       d.recorded_at
  FROM dead_letter AS d JOIN stream AS s USING (stream_id)
 WHERE (d.source_topic, d.source_partition, d.source_offset) = ($1, $2, $3)
UNION
SELECT s.name, d.offset_at, d.source_topic, d.source_partition, d.source_offset, d.feed, d.reason,
       d.recorded_at
  FROM dead_letter AS d JOIN stream AS s USING (stream_id)
 WHERE s.name = $1 || '/' || $2::integer AND d.offset_at = $3;

-- name: commands_after
-- The commands of a stream after a place.
SELECT e.stream_id, s.name, e.seq, e.offset_at, e.recorded_at, e.source, e.role, e.outcome, e.reason,
       e.revision, e.body, e.exact_keys
  FROM card_event AS e JOIN stream AS s USING (stream_id)
 WHERE e.stream_id = $1 AND e.seq > $2 AND e.role = 'command' ORDER BY e.seq;

-- name: waiting
-- Every event without a purchase.
SELECT s.name, w.seq, w.reason, e.recorded_at, w.body
  FROM waiting_event AS w
  JOIN card_event AS e USING (stream_id, seq)
  JOIN stream AS s USING (stream_id)
 ORDER BY w.stream_id, w.seq;

-- name: conflicts
-- Every event whose id was recorded before with other content.
SELECT e.stream_id, s.name, e.seq, e.offset_at, e.recorded_at, e.source, e.role, e.outcome, e.reason,
       e.revision, e.body, e.exact_keys
  FROM card_event AS e JOIN stream AS s USING (stream_id)
 WHERE e.outcome = 'CONFLICT' ORDER BY e.stream_id, e.seq;

-- name: purchases
-- Every purchase, in recorded order.
SELECT stream_id, purchase, issuer_id, account_id, label, body FROM purchase
 ORDER BY stream_id, purchase;
