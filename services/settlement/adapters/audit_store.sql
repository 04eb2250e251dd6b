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

-- name: revisions
-- A batch's revision is the number of batches of its partner and day withdrawn before its seal.
WITH fault AS (
  SELECT format('%s has revision %s: %s batches of its day were withdrawn before it', batch, stored,
                revision) AS what
    FROM settlement_batch_revision WHERE revision <> stored
)
SELECT (SELECT count(*) FROM settlement_batch) AS checked,
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

-- name: states
-- Every batch is sealed first, each state follows from the one before it, an approved one has its
-- approval, a sent one its delivery, and an answered one an answer to each of its lines.
WITH step AS (
  SELECT b.batch, s.state, s.previous, p.state IS NOT NULL AS follows
    FROM settlement_batch AS b
    LEFT JOIN settlement_state AS s USING (batch)
    LEFT JOIN settlement_state AS p ON (p.batch, p.state) = (s.batch, s.previous)
), fault AS (
  SELECT batch, 'was never SEALED' AS what FROM step
   GROUP BY batch HAVING count(*) FILTER (WHERE state = 'SEALED') <> 1
  UNION ALL
  SELECT batch, format('is %s after %s', state, coalesce(previous, 'nothing')) FROM step
   WHERE state <> 'SEALED' AND (NOT follows OR previous IS NULL OR (previous, state) NOT IN (
           ('SEALED', 'APPROVED'), ('APPROVED', 'SENT'), ('SENT', 'ANSWERED'),
           ('SEALED', 'WITHDRAWN'), ('APPROVED', 'WITHDRAWN')))
  UNION ALL
  SELECT batch, format('was %s twice over', previous) FROM step
   WHERE previous IS NOT NULL GROUP BY batch, previous HAVING count(*) > 1
  UNION ALL
  SELECT batch, 'is APPROVED, and nobody approved it' FROM step
   WHERE state = 'APPROVED' AND NOT EXISTS (
           SELECT FROM settlement_approval AS a WHERE a.batch = step.batch)
  UNION ALL
  SELECT a.batch, 'is approved, and its state does not say so' FROM settlement_approval AS a
   WHERE NOT EXISTS (SELECT FROM step AS s WHERE (s.batch, s.state) = (a.batch, 'APPROVED'))
  UNION ALL
  SELECT batch, 'is SENT without a delivery' FROM step
   WHERE state = 'SENT' AND NOT EXISTS (
           SELECT FROM file_delivery AS d WHERE (d.batch, d.run) = (step.batch, 0))
  UNION ALL
  SELECT s.batch, format('is ANSWERED, line %s is %s', l.line, coalesce(o.outcome, 'not'))
    FROM step AS s
    JOIN settlement_line AS l ON l.batch = s.batch AND l.line >= 1
    LEFT JOIN settlement_line_outcome AS o ON (o.batch, o.line) = (l.batch, l.line)
   WHERE s.state = 'ANSWERED' AND coalesce(o.outcome, 'UNKNOWN') = 'UNKNOWN'
)
SELECT (SELECT count(*) FROM step) AS checked,
       ARRAY(SELECT format('%s %s', batch, what) FROM fault
              ORDER BY batch COLLATE "C", what COLLATE "C" LIMIT $1) AS faults;

-- name: answers
-- What was said of a line moved what it should, and nothing else did: a withdrawn or rejected line
-- gave back all that it held, and a paid one was paid in full.
WITH line AS (
  SELECT l.batch, l.line, l.amount, o.outcome, s.state = 'WITHDRAWN' AS withdrawn,
         EXISTS (SELECT FROM acknowledgement AS a
                  WHERE (a.batch, a.line, a.outcome) = (l.batch, l.line, 'PAID')) AS was_paid
    FROM settlement_line AS l
    LEFT JOIN settlement_line_outcome AS o ON (o.batch, o.line) = (l.batch, l.line)
    LEFT JOIN settlement_batch_state AS s ON s.batch = l.batch
), moved AS (
  SELECT batch, line,
         sum(CASE WHEN credit LIKE 'member/%' THEN amount ELSE -amount END)
           FILTER (WHERE kind = 'WITHDRAWN') AS withdrawn,
         sum(CASE WHEN credit LIKE 'member/%' THEN amount ELSE -amount END)
           FILTER (WHERE kind = 'REJECTED') AS rejected,
         sum(CASE WHEN credit = 'bank' THEN amount ELSE -amount END)
           FILTER (WHERE kind = 'PAID') AS paid,
         sum(CASE WHEN debit = 'bank' THEN amount ELSE -amount END)
           FILTER (WHERE kind = 'RETURNED') AS returned
    FROM settlement_follow_up GROUP BY batch, line
), wanted AS (
  SELECT l.batch, l.line, k.kind, coalesce(k.wanted, 0) AS wanted, coalesce(k.moved, 0) AS moved
    FROM line AS l
    LEFT JOIN moved AS m USING (batch, line)
   CROSS JOIN LATERAL (VALUES
     ('WITHDRAWN', CASE WHEN l.withdrawn THEN l.amount END, m.withdrawn),
     ('REJECTED', CASE WHEN l.outcome = 'REJECTED' THEN l.amount END, m.rejected),
     ('PAID', CASE WHEN l.was_paid THEN l.amount END, m.paid),
     ('RETURNED', CASE WHEN l.was_paid AND l.outcome = 'REJECTED' THEN l.amount END, m.returned)
   ) AS k (kind, wanted, moved)
), fault AS (
  SELECT format('%s line %s: %s moved %s, it should have moved %s', batch, line, kind, moved,
                wanted) AS what
    FROM wanted WHERE wanted <> moved
  UNION ALL
  SELECT format('%s line %s: transfer %s/%s/%s is not in the ledger', m.batch, m.line, m.stream_id,
                m.seq, m.leg)
    FROM settlement_move AS m
    LEFT JOIN settlement_follow_up AS f USING (stream_id, seq, leg)
   WHERE f.leg IS NULL
)
SELECT (SELECT count(*) FROM line) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: owed
-- What is payable to a partner, or in clearing, is what stands in its lines and is not paid.
WITH line AS (
  SELECT l.batch, l.line, b.partner, l.unit, l.amount FROM settlement_line AS l
    JOIN settlement_batch AS b USING (batch)
    LEFT JOIN settlement_batch_state AS s USING (batch)
    LEFT JOIN settlement_line_outcome AS o ON (o.batch, o.line) = (l.batch, l.line)
   WHERE s.state IS DISTINCT FROM 'WITHDRAWN'
     AND coalesce(o.outcome, '') NOT IN ('REJECTED', 'PAID')
), wanted AS (
  SELECT CASE WHEN t.account IS NULL THEN 'partner-payable/' || l.partner ELSE t.account END
           AS account, l.unit, sum(l.amount) AS amount
    FROM line AS l
    LEFT JOIN (SELECT DISTINCT batch, unit, 'payout-clearing' AS account FROM settlement_posting
                WHERE debit = 'payout-clearing' OR credit = 'payout-clearing') AS t
   USING (batch, unit)
   GROUP BY 1, 2
), fault AS (
  SELECT format('%s: the ledger holds %s %s, the lines come to %s', account,
                coalesce(o.amount, 0), unit, coalesce(w.amount, 0)) AS what
    FROM settlement_owed AS o FULL JOIN wanted AS w USING (account, unit)
   WHERE coalesce(o.amount, 0) <> coalesce(w.amount, 0)
)
SELECT (SELECT count(*) FROM line) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: periods
-- Closed periods follow each other, none was closed with more than is recorded or with streams that
-- came later, and the trial balance of each is what it was when it was closed.
WITH closing AS (
  SELECT period, previous, streams, lag(period) OVER (ORDER BY period) AS before FROM period_close
), now AS (
  SELECT c.period, p.unit, p.side, p.amount,
         CASE WHEN p.account LIKE 'member/%' THEN 'member/*' ELSE p.account END AS account
    FROM period_close AS c CROSS JOIN LATERAL accounting_posting(c.opens_on - 1) AS p
), counted AS (
  SELECT period, unit, account,
         coalesce(sum(amount) FILTER (WHERE side = 'debit'), 0) AS debit,
         coalesce(sum(amount) FILTER (WHERE side = 'credit'), 0) AS credit
    FROM now GROUP BY period, unit, account
), fault AS (
  SELECT format('%s follows %s, it should follow %s', period, coalesce(previous, 'nothing'),
                coalesce(before, 'nothing')) AS what
    FROM closing WHERE coalesce(previous, '') <> coalesce(before, '')
  UNION ALL
  SELECT format('%s was closed with stream %s at %s, before it at %s', l.period, l.stream_id, l.seq,
                e.seq)
    FROM period_close_position AS l
    JOIN closing AS c ON c.period = l.period
    JOIN period_close_position AS e ON (e.period, e.stream_id) = (c.before, l.stream_id)
   WHERE l.seq < e.seq
  UNION ALL
  SELECT format('%s was closed with %s streams, it has %s', c.period, c.streams, count(l.period))
    FROM closing AS c LEFT JOIN period_close_position AS l USING (period)
   GROUP BY c.period, c.streams HAVING c.streams <> count(l.period)
  UNION ALL
  SELECT format('%s was closed with stream %s at %s, it is at %s', l.period, l.stream_id, l.seq,
                coalesce(s.next_seq - 1, 0))
    FROM period_close_position AS l LEFT JOIN stream_position AS s USING (stream_id)
   WHERE l.seq > coalesce(s.next_seq - 1, 0)
  UNION ALL
  SELECT format('%s %s: closed with %s %s debit and %s credit, now %s and %s', period, account,
                coalesce(b.debit, 0), unit, coalesce(b.credit, 0), coalesce(n.debit, 0),
                coalesce(n.credit, 0))
    FROM period_close_balance AS b FULL JOIN counted AS n USING (period, unit, account)
   WHERE (coalesce(b.debit, 0), coalesce(b.credit, 0))
      <> (coalesce(n.debit, 0), coalesce(n.credit, 0))
)
SELECT (SELECT count(*) FROM closing) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: answer_files
-- What an answer said of lines traces to the file that said it, which is kept as it came; of a
-- sealed file only its presence shows here. Bytes of answers from before they were kept are none.
-- A command tells up to thousands of lines: it is read once, not for each of them.
WITH command AS MATERIALIZED (
  SELECT stream_id, seq, inputs ->> 'command' AS command, inputs #>> '{because,sha256}' AS sha256
    FROM (SELECT stream_id, seq, convert_from(body, 'UTF8')::jsonb AS inputs
            FROM settlement_command OFFSET 0) AS c
), said AS (
  SELECT a.batch, a.line, b.partner, c.sha256
    FROM acknowledgement AS a
    JOIN settlement_batch AS b USING (batch)
    LEFT JOIN command AS c ON (c.stream_id, c.seq) = (a.stream_id, a.seq)
   WHERE c.command IS DISTINCT FROM 'pay'
), fault AS (
  SELECT format('%s line %s: the file that says it is not kept', batch, line) AS what
    FROM said AS s LEFT JOIN settlement_answer_file AS f USING (partner, sha256)
   WHERE f.sha256 IS NULL
  UNION ALL
  SELECT format('answer %s to %s is not kept', left(a.sha256, 12), a.batch)
    FROM settlement_answer AS a LEFT JOIN settlement_answer_file AS f USING (partner, sha256)
   WHERE f.sha256 IS NULL
  UNION ALL
  SELECT format('answer %s of %s is not the file that came', left(sha256, 12), partner)
    FROM settlement_answer_file
   WHERE NOT is_sealed AND (encode(sha256(content), 'hex'), octet_length(content))
         IS DISTINCT FROM (sha256, bytes::integer) AND content IS NOT NULL
)
SELECT (SELECT count(*) FROM said) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;
