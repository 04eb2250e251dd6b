-- name: once
-- A sealed transfer stands in one line, exists in the ledger, and is of that line's own sum.
WITH member AS (
  SELECT m.stream_id, m.seq, m.leg, m.batch, m.line, p.leg IS NOT NULL AS payable,
         p.partner = b.partner AND (p.account_id, p.of_stream_id, p.of_purchase, p.contract, p.rule,
           p.unit) = (l.account_id, l.of_stream_id, l.of_purchase, l.contract, l.rule, l.unit) AS own
    FROM settlement_member AS m
    LEFT JOIN payable_transfer AS p USING (stream_id, seq, leg)
    LEFT JOIN settlement_line AS l ON (l.batch, l.line) = (m.batch, m.line)
    LEFT JOIN settlement_batch AS b ON b.batch = m.batch
), fault AS (
  SELECT format('transfer %s/%s/%s stands in %s lines', stream_id, seq, leg, count(*)) AS what
    FROM member GROUP BY stream_id, seq, leg HAVING count(*) > 1
  UNION ALL
  SELECT format('transfer %s/%s/%s of %s line %s is not in the ledger', stream_id, seq, leg, batch,
                line)
    FROM member WHERE NOT payable
  UNION ALL
  SELECT format('transfer %s/%s/%s does not belong to %s line %s', stream_id, seq, leg, batch, line)
    FROM member WHERE payable AND own IS NOT TRUE
)
SELECT (SELECT count(*) FROM member) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: ties
-- For every sum: its lines, its transfers and what sealing posted are one amount; for every batch
-- and unit: the lines add up to the stored total.
WITH lines AS (
  SELECT batch, account_id, of_stream_id, of_purchase, contract, rule, unit, sum(amount) AS amount
    FROM settlement_line GROUP BY 1, 2, 3, 4, 5, 6, 7
), members AS (
  SELECT m.batch, p.account_id, p.of_stream_id, p.of_purchase, p.contract, p.rule, p.unit,
         sum(p.amount) AS amount
    FROM settlement_member AS m JOIN payable_transfer AS p USING (stream_id, seq, leg)
   GROUP BY 1, 2, 3, 4, 5, 6, 7
), posted AS (
  SELECT batch, account_id, of_stream_id, of_purchase, contract, rule, unit,
         sum(CASE WHEN debit LIKE 'member/%' THEN amount ELSE -amount END) AS amount
    FROM settlement_posting GROUP BY 1, 2, 3, 4, 5, 6, 7
), units AS (
  SELECT batch, unit, sum(amount) AS amount FROM lines GROUP BY 1, 2
), stored AS (
  SELECT b.batch, t.unit, t.amount::bigint AS amount
    FROM settlement_batch AS b, jsonb_each_text(b.totals) AS t (unit, amount)
), fault AS (
  SELECT format('%s: purchase %s/%s of %s by %s: lines %s, transfers %s, posted %s %s', batch,
                of_stream_id, of_purchase, account_id, rule, coalesce(l.amount, 0),
                coalesce(m.amount, 0), coalesce(p.amount, 0), unit) AS what
    FROM lines AS l
    FULL JOIN members AS m
   USING (batch, account_id, of_stream_id, of_purchase, contract, rule, unit)
    FULL JOIN posted AS p
   USING (batch, account_id, of_stream_id, of_purchase, contract, rule, unit)
   WHERE coalesce(l.amount, 0) <> coalesce(m.amount, 0)
      OR coalesce(l.amount, 0) <> coalesce(p.amount, 0)
  UNION ALL
  SELECT format('%s: the lines come to %s %s, the stored total is %s', batch, u.amount, unit,
                s.amount)
    FROM units AS u FULL JOIN stored AS s USING (batch, unit)
   WHERE (u.amount = s.amount) IS NOT TRUE
)
SELECT (SELECT count(*) FROM lines) + (SELECT count(*) FROM stored) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: sequence
-- A partner's batches are numbered from 1 without gaps, and each has its recorded command.
WITH placed AS (
  SELECT b.batch, b.sequence, row_number() OVER (PARTITION BY b.partner ORDER BY b.sequence) AS nth,
         (SELECT count(*) FROM settlement_command AS c
           WHERE c.stream_id = b.stream_id AND c.seq BETWEEN b.seq AND b.last_seq) AS events,
         b.last_seq - b.seq + 1 AS wanted
    FROM settlement_batch AS b
), fault AS (
  SELECT format('%s stands where sequence %s should', batch, nth) AS what
    FROM placed WHERE sequence <> nth
  UNION ALL
  SELECT format('%s has %s of its %s recorded events', batch, events, wanted)
    FROM placed WHERE events <> wanted
)
SELECT (SELECT count(*) FROM placed) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: originals
-- A line that names another one names an earlier one of the same sum that gave something, and no
-- line is taken below zero.
WITH named AS (
  SELECT l.batch, l.line, l.original_batch, l.original_line, l.amount, o.amount AS given,
         EXISTS (SELECT FROM settlement_move AS v
                  WHERE (v.batch, v.line) = (l.batch, l.line)
                    AND v.kind IN ('WITHDRAWN', 'REJECTED')) AS void,
         o.amount > 0 AND ob.partner = b.partner AND ob.sequence < b.sequence
           AND (o.account_id, o.of_stream_id, o.of_purchase, o.contract, o.rule, o.award, o.unit)
             = (l.account_id, l.of_stream_id, l.of_purchase, l.contract, l.rule, l.award, l.unit)
           AS fits
    FROM settlement_line AS l
    JOIN settlement_batch AS b ON b.batch = l.batch
    LEFT JOIN settlement_line AS o ON (o.batch, o.line) = (l.original_batch, l.original_line)
    LEFT JOIN settlement_batch AS ob ON ob.batch = o.batch
   WHERE l.original_line IS NOT NULL OR l.amount < 0
), fault AS (
  SELECT format('%s line %s names %s line %s, which is not its original', batch, line,
                original_batch, original_line) AS what
    FROM named WHERE fits IS NOT TRUE
  UNION ALL
  SELECT format('%s line %s gave %s, and %s was taken back', original_batch, original_line,
                max(given), -sum(amount))
    FROM named WHERE amount < 0 AND fits AND NOT void
   GROUP BY original_batch, original_line HAVING max(given) + sum(amount) < 0
)
SELECT (SELECT count(*) FROM named) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: members
-- What a batch saw as due, from its vector and its day, is what it sealed, held or carried.
WITH seen AS (
  SELECT b.batch, b.partner, b.sequence, b.through, h.stream_id, v.seq::bigint AS seq
    FROM settlement_batch AS b
   CROSS JOIN jsonb_each_text(b.vector) AS v (stream, seq)
    JOIN settlement_horizon AS h ON h.stream = v.stream
  UNION ALL
  SELECT b.batch, b.partner, b.sequence, b.through, b.stream_id, b.seq - 1
    FROM settlement_batch AS b
), due AS (
  SELECT seen.batch, p.stream_id, p.seq, p.leg, p.account_id, p.unit, p.amount,
         coalesce(m.batch = seen.batch, false) AS sealed
    FROM seen
    JOIN payable_transfer AS p
      ON p.partner = seen.partner AND p.stream_id = seen.stream_id AND p.seq <= seen.seq
     AND p.available_on <= seen.through
    LEFT JOIN settlement_member AS m
      ON (m.stream_id, m.seq, m.leg) = (p.stream_id, p.seq, p.leg)
    LEFT JOIN settlement_batch AS mb ON mb.batch = m.batch
   WHERE mb.batch IS NULL OR mb.sequence >= seen.sequence
), waiting AS (
  SELECT batch, account_id, unit, sum(amount) AS amount
    FROM due WHERE NOT sealed GROUP BY 1, 2, 3
), listed AS (
  SELECT b.batch, e.entry ->> 'account_id' AS account_id, e.entry ->> 'unit' AS unit,
         sum((e.entry ->> 'amount')::bigint) AS amount
    FROM settlement_batch AS b
   CROSS JOIN jsonb_array_elements(b.held || b.carried) AS e (entry)
   GROUP BY 1, 2, 3
), fault AS (
  SELECT format('%s line %s holds transfer %s/%s/%s, which was not due', m.batch, m.line,
                m.stream_id, m.seq, m.leg) AS what
    FROM settlement_member AS m
    LEFT JOIN due AS d USING (batch, stream_id, seq, leg)
   WHERE d.batch IS NULL
  UNION ALL
  SELECT format('%s: %s %s of %s were due and not sealed, its lists say %s', batch,
                coalesce(w.amount, 0), unit, account_id, coalesce(l.amount::text, 'nothing'))
    FROM waiting AS w FULL JOIN listed AS l USING (batch, account_id, unit)
   WHERE (w.amount = l.amount) IS NOT TRUE
)
SELECT (SELECT count(*) FROM due) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: approvals
-- Nobody approved what they had sealed.
WITH approval AS (
  SELECT a.batch, a.approver, b.sealed_by,
         person_key(a.approver) <> person_key(b.sealed_by) AS apart
    FROM settlement_approval AS a LEFT JOIN settlement_batch AS b USING (batch)
)
SELECT (SELECT count(*) FROM approval) AS checked,
       ARRAY(SELECT format('%s was sealed by %s and approved by %s', batch, sealed_by, approver)
               FROM approval WHERE apart IS NOT TRUE ORDER BY 1 LIMIT $1) AS faults;
