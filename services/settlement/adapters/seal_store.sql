-- name: terms
-- The settlement clauses of every version signed with a partner.
SELECT contract, version, terms::text AS terms FROM settlement_terms WHERE partner = $1;

-- name: next_sequence
-- The number of the partner's next batch.
SELECT coalesce(max(sequence), 0) + 1 FROM settlement_batch WHERE partner = $1;

-- name: revision
-- How many batches of the partner through the day were withdrawn: the next one restates them.
SELECT count(*)
  FROM settlement_batch AS b JOIN settlement_state AS s USING (batch)
 WHERE b.partner = $1 AND b.through = $2 AND s.state = 'WITHDRAWN';

-- name: came_back
-- What came back from where its member cannot be reached.
SELECT account_id, membership_number, facts, batch, line, code, recorded_on
  FROM settlement_came_back WHERE partner = $1;

-- name: due
-- What is due to partner $1 through day $2 and stands in no line. The first row, which is there
-- even when nothing is due, says how far the streams were committed and the facts' revision: one
-- statement sees all of it at one instant. $3 and $4 repeat a seal as it was recorded. What was
-- given back stands in the partner's own stream $5, which the seal at $6 holds locked.
WITH horizon AS MATERIALIZED (
  SELECT h.stream_id, h.stream, coalesce($4::bigint, h.facts) AS facts,
         CASE WHEN $3::text IS NULL THEN h.seq
              ELSE coalesce(($3::text::jsonb ->> h.stream)::bigint, 0) END AS seq
    FROM settlement_horizon AS h
)
SELECT CASE WHEN row_number() OVER () = 1
            THEN (SELECT jsonb_object_agg(stream, seq)::text FROM horizon) END AS vector,
       CASE WHEN row_number() OVER () = 1 THEN (SELECT max(facts) FROM horizon) END AS facts,
       d.*
  FROM (VALUES (1)) AS always (present)
  LEFT JOIN (
    SELECT p.stream_id, p.seq, p.leg, p.account_id, p.issuer_id, p.of_stream_id, p.of_purchase,
           p.purchase, p.contract, p.version, p.rule, p.funder, p.unit, p.amount, p.governing_on,
           p.old_batch, p.old_line
      FROM payable_transfer AS p
      JOIN (SELECT stream_id, seq FROM horizon
             UNION ALL SELECT $5::smallint, $6::bigint - 1) AS h
        ON h.stream_id = p.stream_id AND p.seq <= h.seq
     WHERE p.partner = $1 AND p.available_on <= $2
       AND NOT EXISTS (
         SELECT FROM settlement_member AS m
          WHERE (m.stream_id, m.seq, m.leg) = (p.stream_id, p.seq, p.leg))
  ) AS d ON true;

-- name: numbers
-- The partner's number of each account, as of a revision of the facts.
SELECT account_id, membership_number FROM settlement_membership($2) WHERE partner = $1;

-- name: earlier
-- Lines of these purchases that stood in files of the partner; void ones were given back.
SELECT l.batch, b.sequence, l.line, l.account_id, l.of_stream_id, l.of_purchase, l.contract,
       l.rule, l.award, l.unit, l.amount, l.original_batch, l.original_line,
       EXISTS (SELECT FROM settlement_move AS m
                WHERE (m.batch, m.line) = (l.batch, l.line)
                  AND m.kind IN ('WITHDRAWN', 'REJECTED')) AS void
  FROM unnest($2::smallint[], $3::bigint[]) AS w (of_stream_id, of_purchase)
  JOIN settlement_line AS l USING (of_stream_id, of_purchase)
  JOIN settlement_batch AS b USING (batch)
 WHERE b.partner = $1 AND l.line >= 1;

-- name: add_event
-- One event of a seal, with the command's inputs.
INSERT INTO card_event (stream_id, seq, recorded_at, role, body, outcome, revision)
VALUES ($1, $2, $3::date::timestamp AT TIME ZONE 'UTC', 'command', $4, 'RECORDED', $5);

-- name: add_batch
-- The batch itself; it never changes.
INSERT INTO settlement_batch (batch, partner, sequence, revision, through, sealed_by, stream_id,
                              seq, last_seq, vector, facts, totals, held, carried)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::jsonb, $11, $12::text::jsonb,
        $13::text::jsonb, $14::text::jsonb);

-- name: add_lines
-- Its lines. Tables that guard their rows take no COPY.
INSERT INTO settlement_line (batch, line, account_id, membership_number, issuer_id, of_stream_id,
  of_purchase, purchase, contract, version, rule, award, unit, activity_on, amount,
  original_batch, original_line)
SELECT * FROM unnest($1::text[], $2::integer[], $3::text[], $4::text[], $5::text[], $6::smallint[],
  $7::bigint[], $8::text[], $9::text[], $10::integer[], $11::text[], $12::text[], $13::text[],
  $14::date[], $15::bigint[], $16::text[], $17::integer[]);

-- name: add_members
-- Which transfer stands in which line.
INSERT INTO settlement_member (stream_id, seq, leg, line, batch)
SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::integer[], $4::integer[], $5::text[]);

-- name: add_sealed
-- The first state of a batch.
INSERT INTO settlement_state (batch, state, who, recorded_on) VALUES ($1, 'SEALED', $2, $3);

-- name: add_balances
-- Running balances of the partner's stream, moved by what the batch's transfers sum to.
INSERT INTO balance AS b (stream_id, account, unit, amount)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[])
    ON CONFLICT (stream_id, account, unit) DO UPDATE SET amount = b.amount + EXCLUDED.amount;
