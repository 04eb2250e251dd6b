-- name: events
-- Every recorded event.
SELECT s.name, e.seq, e.offset_at, e.role, e.outcome, e.reason, e.body
  FROM card_event AS e JOIN stream AS s USING (stream_id)
 WHERE e.stream_id = $1 ORDER BY e.seq;

-- name: letters
-- Every rejected record.
SELECT s.name, d.offset_at, d.source_topic, d.source_partition, d.source_offset, d.reason
  FROM dead_letter AS d JOIN stream AS s USING (stream_id)
 WHERE d.stream_id = $1 ORDER BY d.offset_at;

-- name: transfers
-- Every transfer, with its purchase and the event that caused it.
SELECT s.name, t.seq, t.leg, t.entry, e.role, e.body, p.issuer_id, t.account_id, p.label, t.contract,
       t.version, t.rule, t.funder, t.unit, t.debit, t.credit, t.amount, t.effective_on,
       t.available_on
  FROM transfer AS t
  JOIN stream AS s USING (stream_id)
  JOIN card_event AS e USING (stream_id, seq)
  JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
 WHERE t.stream_id = $1 ORDER BY t.seq, t.leg;

-- name: streams
-- Every stream by the name of its topic, then by partition or partner.
SELECT stream_id FROM stream
 ORDER BY regexp_replace(name, '/.*', '') COLLATE "C",
          CASE WHEN name ~ '^(card-transactions|dead-letters)/[0-9]+$'
               THEN split_part(name, '/', 2)::integer END,
          name COLLATE "C";

-- name: grants
-- What purchases have been granted less what was taken back; nothing is left out but zero.
SELECT t.account_id, p.issuer_id, p.label, t.governing_on, t.contract, t.version, t.rule, t.unit,
       t.funder, sum(t.amount)::bigint AS amount
  FROM member_movement AS t
  JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
 WHERE NOT t.settles
 GROUP BY t.account_id, p.issuer_id, p.label, t.governing_on, t.contract, t.version, t.rule, t.unit,
          t.funder
HAVING sum(t.amount) <> 0
 ORDER BY t.account_id COLLATE "C", p.issuer_id COLLATE "C", p.label COLLATE "C", t.governing_on,
          t.contract COLLATE "C", t.version, t.rule COLLATE "C", t.unit COLLATE "C",
          t.funder COLLATE "C";

-- name: totals
-- What running totals have let through; a total of zero and none are the same.
SELECT contract, rule, kind, left(terms, 8) AS terms, scope, scope_id, period, unit, granted
  FROM scope_total WHERE granted <> 0
 ORDER BY contract COLLATE "C", rule COLLATE "C", kind COLLATE "C", terms COLLATE "C",
          scope COLLATE "C", scope_id COLLATE "C", period COLLATE "C";

-- name: balances
-- What every account has at a date.
SELECT account_id, unit,
       coalesce(sum(amount) FILTER (WHERE NOT settles AND available_on > $1), 0)::bigint AS pending,
       coalesce(sum(amount) FILTER (WHERE settles OR available_on <= $1), 0)::bigint AS available,
       coalesce(-sum(amount) FILTER (WHERE settles), 0)::bigint AS settled,
       coalesce(sum(amount) FILTER (WHERE NOT settles), 0)::bigint AS amount
  FROM member_movement
 WHERE effective_on <= $1
 GROUP BY account_id, unit
 ORDER BY account_id COLLATE "C", unit COLLATE "C";
