-- name: movements
-- What moved by the end of day $2, by partner, unit, kind and place; before day $1 and since.
SELECT m.partner, m.unit, m.kind, s.place,
       count(*) FILTER (WHERE m.accounted_on >= $1) AS transfers,
       coalesce(sum(s.amount) FILTER (WHERE m.accounted_on < $1), 0)::bigint AS before,
       coalesce(sum(s.amount) FILTER (WHERE m.accounted_on >= $1), 0)::bigint AS within
  FROM settlement_movement AS m
 CROSS JOIN LATERAL (VALUES (m.from_place, -m.amount), (m.to_place, m.amount)) AS s (place, amount)
 WHERE m.accounted_on <= $2
 GROUP BY m.partner, m.unit, m.kind, s.place;

-- name: held
-- What the ledger's accounts hold at the end of day $1.
SELECT unit, place, amount FROM settlement_ledger($1);

-- name: issuers
-- Whose card events concern a partner.
SELECT issuer FROM settlement_issuer WHERE partner = $1 ORDER BY issuer COLLATE "C";

-- name: compares
-- Whether any feed is there to compare with.
SELECT EXISTS (SELECT FROM feed_record WHERE role = 'compare');

-- name: feed
-- The bodies of a role's events.
SELECT body FROM feed_record WHERE role = $1;

-- name: unposted
-- Events of the books that are recorded as posted, and caused no transfer.
SELECT f.body FROM feed_record AS f
 WHERE f.role = 'books' AND f.outcome = 'POSTED'
   AND NOT EXISTS (
     SELECT FROM settlement_movement AS m WHERE (m.stream_id, m.seq) = (f.stream_id, f.seq));

-- name: uncaused
-- Grants and clawbacks of partner $1 from day $2 to $3 that no recorded event caused. Causes are
-- looked for first, among all movements: a plan for one partner and month expects few rows, and
-- then goes through every sealed transfer for each of thousands.
WITH lost AS MATERIALIZED (
  SELECT m.stream_id, m.seq, m.leg, m.partner, m.unit, m.kind, m.amount, m.accounted_on
    FROM settlement_movement AS m
   WHERE NOT EXISTS (
     SELECT FROM settlement_cause AS c WHERE (c.stream_id, c.seq) = (m.stream_id, m.seq))
)
SELECT format('%s/%s/%s', stream_id, seq, leg) AS transfer, unit,
       CASE WHEN kind = 'GRANTED' THEN amount ELSE -amount END AS amount
  FROM lost
 WHERE partner = $1 AND accounted_on BETWEEN $2 AND $3 AND kind IN ('GRANTED', 'CLAWED_BACK');

-- name: latest
-- The partner's latest batch: what it saw is what it should have sealed.
SELECT batch FROM settlement_batch WHERE partner = $1 ORDER BY sequence DESC LIMIT 1;

-- name: waiting
-- What was due to partner $1 from day $2 to $3 and stands in no line: LISTED where the latest
-- batch holds or carries the member, SINCE where it came after that batch, else MISSING. All
-- MISSING ones are named, the others counted.
WITH latest AS (
  SELECT * FROM settlement_batch WHERE partner = $1 ORDER BY sequence DESC LIMIT 1
), waits AS (
  SELECT e.entry ->> 'account_id' AS account_id, e.entry ->> 'unit' AS unit
    FROM latest AS b CROSS JOIN jsonb_array_elements(b.held || b.carried) AS e (entry)
   GROUP BY 1, 2
), open AS (
  SELECT p.stream_id, p.seq, p.leg, p.issuer_id, p.purchase, p.rule, p.unit, p.amount,
         p.available_on,
         CASE
           WHEN b.batch IS NULL OR p.available_on > b.through THEN 'SINCE'
           WHEN p.seq > CASE WHEN p.stream_id = b.stream_id THEN b.seq - 1
                             ELSE coalesce((b.vector ->> h.stream)::bigint, 0) END THEN 'SINCE'
           WHEN w.account_id IS NOT NULL THEN 'LISTED'
           ELSE 'MISSING' END AS why
    FROM payable_transfer AS p
    LEFT JOIN latest AS b ON true
    LEFT JOIN settlement_horizon AS h ON h.stream_id = p.stream_id
    LEFT JOIN waits AS w ON (w.account_id, w.unit) = (p.account_id, p.unit)
   WHERE p.partner = $1 AND p.available_on BETWEEN $2 AND $3
     AND NOT EXISTS (
       SELECT FROM settlement_member AS m
        WHERE (m.stream_id, m.seq, m.leg) = (p.stream_id, p.seq, p.leg))
)
SELECT why, unit, count(*) AS transfers, sum(amount)::bigint AS amount,
       NULL AS transfer, NULL AS issuer_id, NULL AS purchase, NULL AS rule,
       NULL::date AS available_on
  FROM open GROUP BY why, unit
UNION ALL
SELECT NULL, unit, 1, amount, format('%s/%s/%s', stream_id, seq, leg), issuer_id, purchase, rule,
       available_on
  FROM open WHERE why = 'MISSING';

-- name: sealed
-- The transfers that batches of partner $1 through days $2 to $3 sealed, as the ledger has them.
SELECT m.batch, p.account_id, p.of_stream_id, p.of_purchase, p.contract, p.rule, p.unit, p.amount,
       p.partner, p.purchase
  FROM settlement_member AS m
  JOIN settlement_batch AS b USING (batch)
  JOIN payable_transfer AS p ON (p.stream_id, p.seq, p.leg) = (m.stream_id, m.seq, m.leg)
 WHERE b.partner = $1 AND b.through BETWEEN $2 AND $3;

-- name: lines
-- The lines of those batches, with the layout that each goes out in.
SELECT l.batch, l.line, l.account_id, l.of_stream_id, l.of_purchase, l.contract, l.rule, l.unit,
       l.amount, b.partner, l.purchase, l.membership_number,
       coalesce(t.terms -> 'file' ->> 'layout', '') AS layout
  FROM settlement_line AS l
  JOIN settlement_batch AS b USING (batch)
  LEFT JOIN settlement_terms AS t ON (t.contract, t.version) = (l.contract, l.version)
 WHERE b.partner = $1 AND b.through BETWEEN $2 AND $3;

-- name: answers
-- What was said of those batches' lines: the last of it, whether it is definite, and how often the
-- partner answered. A payment is no answer, and a return after one is no second answer.
SELECT a.batch, a.line, (array_agg(a.outcome ORDER BY a.nth DESC))[1] AS outcome,
       count(*) FILTER (
         WHERE a.outcome NOT IN ('UNKNOWN', 'PAID')
           AND NOT (a.outcome = 'REJECTED' AND a.previous IS NOT DISTINCT FROM 'PAID')) AS times,
       string_agg(a.outcome || CASE WHEN a.code <> '' THEN ' ' || a.code ELSE '' END,
                  ', then ' ORDER BY a.nth) AS said
  FROM acknowledgement AS a
  JOIN settlement_batch AS b USING (batch)
 WHERE b.partner = $1 AND b.through BETWEEN $2 AND $3
 GROUP BY a.batch, a.line;

-- name: sent
-- When those batches were sent.
SELECT s.batch, s.recorded_on
  FROM settlement_state AS s JOIN settlement_batch AS b USING (batch)
 WHERE s.state = 'SENT' AND b.partner = $1 AND b.through BETWEEN $2 AND $3;

-- name: alone
-- One run of a partner after the other.
SELECT pg_advisory_xact_lock(hashtextextended('reconcile ' || $1, 0));

-- name: next_run
-- The number of the partner's next run.
SELECT coalesce(max(nth), 0) + 1 FROM reconciliation_run WHERE partner = $1;

-- name: add_run
-- A run with its options.
INSERT INTO reconciliation_run (partner, nth, period, who, recorded_on, second_above, answer_days,
                                found)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: known
-- Every discrepancy of a partner's month.
SELECT d.id, d.comparison, d.code, d.subject, d.amount, d.unit, d.again, c.id IS NOT NULL AS closed
  FROM discrepancy AS d LEFT JOIN discrepancy_closing AS c USING (id)
 WHERE d.partner = $1 AND d.period = $2;

-- name: add
-- What is found for the first time.
INSERT INTO discrepancy (id, partner, run, period, comparison, code, subject, amount, unit, again,
                         owner, detail, first_seen, second_above)
SELECT t.id, $1, $2, $3, t.comparison, t.code, t.subject, t.amount, t.unit, t.again, t.owner,
       t.detail, $4, $5
  FROM unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[],
              $12::integer[], $13::text[], $14::text[])
    AS t (id, comparison, code, subject, amount, unit, again, owner, detail);

-- name: close
-- What is no longer found.
INSERT INTO discrepancy_closing (id, partner, run)
SELECT t.id, $2, $3 FROM unnest($1::text[]) AS t (id);

-- name: list
-- Discrepancies as they stand, the oldest first; nulls ask for all.
SELECT id, partner, period, comparison, code, subject, amount, unit, owner, detail, first_seen,
       second_eyes, state, who, reason, approver
  FROM discrepancy_state
 WHERE ($1::text IS NULL OR partner = $1) AND ($2::text IS NULL OR period = $2)
   AND ($3::text IS NULL OR starts_with(id, $3))
 ORDER BY first_seen, partner COLLATE "C", comparison, subject COLLATE "C", code;

-- name: resolve
-- What somebody says of a discrepancy, after what was said before.
INSERT INTO discrepancy_resolution (id, nth, who, recorded_on, reason)
SELECT $1, coalesce(max(nth), 0) + 1, $2, $3, $4 FROM discrepancy_resolution WHERE id = $1;

-- name: approve
-- A second person agrees with what was last said; the database refuses the one who said it.
INSERT INTO discrepancy_approval (id, nth, resolver_key, approver, recorded_on)
SELECT id, nth, who_key, $2, $3 FROM discrepancy_resolution WHERE id = $1 ORDER BY nth DESC LIMIT 1;
