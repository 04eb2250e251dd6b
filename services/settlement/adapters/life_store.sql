-- name: lines
-- Every line of a batch, those of nothing included.
SELECT line, account_id, membership_number, issuer_id, of_stream_id, of_purchase, purchase,
       contract, version, rule, award, unit, activity_on, amount, original_batch, original_line
  FROM settlement_line WHERE batch = $1 ORDER BY line;

-- name: posted
-- What sealing posted, by sum, version and funder, from the member's side.
SELECT account_id, of_stream_id, of_purchase, contract, version, rule, funder, unit,
       sum(CASE WHEN debit LIKE 'member/%' THEN amount ELSE -amount END)::bigint AS amount
  FROM settlement_posting WHERE batch = $1
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;

-- name: latest
-- What was last said of each line.
SELECT line, nth, outcome, code, membership_number
  FROM settlement_line_outcome WHERE batch = $1;

-- name: said
-- What the partner last said of each line, payments apart.
SELECT DISTINCT ON (line) line, nth, outcome, code, membership_number
  FROM acknowledgement WHERE batch = $1 AND outcome <> 'PAID' ORDER BY line, nth DESC;

-- name: heard
-- Every outcome that was ever recorded of each line.
SELECT line, array_agg(DISTINCT outcome) AS outcomes
  FROM acknowledgement WHERE batch = $1 GROUP BY line;

-- name: facts
-- The revision of the facts; the horizon has none where no stream of card events is.
SELECT coalesce(max(facts), 0)::bigint FROM settlement_horizon;

-- name: new_facts
-- The next revision, locked to commit.
UPDATE fact_revision SET revision = revision + 1 RETURNING revision;

-- name: add_event
-- One event of a command, with its inputs.
INSERT INTO card_event (stream_id, seq, recorded_at, role, body, outcome, revision)
VALUES ($1, $2, $3::date::timestamp AT TIME ZONE 'UTC', 'command', $4, 'RECORDED', $5);

-- name: add_balances
-- Running balances of the partner's stream, moved by what the transfers sum to.
INSERT INTO balance AS b (stream_id, account, unit, amount)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[])
    ON CONFLICT (stream_id, account, unit) DO UPDATE SET amount = b.amount + EXCLUDED.amount;

-- name: add_moves
-- What the transfers do to which lines.
INSERT INTO settlement_move (stream_id, seq, leg, line, kind, batch)
SELECT t.*, $6 FROM unnest($1::smallint[], $2::bigint[], $3::integer[], $4::integer[],
                           $5::text[]) AS t;

-- name: add_outcomes
-- What the partner says of lines; each row names the one before it.
INSERT INTO acknowledgement (batch, line, nth, outcome, previous, code, membership_number,
                             came_back, who, recorded_on, stream_id, seq)
SELECT $1, t.*, $9, $10, $11, $12
  FROM unnest($2::integer[], $3::integer[], $4::text[], $5::text[], $6::text[], $7::text[],
              $8::boolean[]) AS t;

-- name: add_merges
-- Numbers that the partner merged, unless that is known already.
INSERT INTO settlement_merge (partner, number_from, number_to, revision, recorded_on, batch)
SELECT DISTINCT $1, l.membership_number, t.number, $4::bigint, $5::date, $6
  FROM unnest($2::integer[], $3::text[]) AS t (line, number)
  JOIN settlement_line AS l ON (l.batch, l.line) = ($6, t.line)
 WHERE l.membership_number <> t.number
   AND settlement_merged($1, l.membership_number, $4::bigint) <> t.number;

-- name: add_answer
-- The file that a partner answered with, once.
INSERT INTO settlement_answer (partner, sha256, batch, name, layout, bytes, who, recorded_on,
                               stream_id, seq)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING;

-- name: add_payment
-- A payment of a batch, once.
INSERT INTO settlement_payment (batch, reference, who, recorded_on, stream_id, seq)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING;

-- name: answer
-- The batch that these bytes answered.
SELECT batch FROM settlement_answer WHERE (partner, sha256) = ($1, $2);

-- name: payment
-- Whether a payment is recorded.
SELECT EXISTS (SELECT FROM settlement_payment WHERE (batch, reference) = ($1, $2));

-- name: withdraw
-- The batch is withdrawn from where it stands; the database refuses one that was sent.
INSERT INTO settlement_state (batch, state, previous, who, recorded_on, reason)
SELECT batch, 'WITHDRAWN', state, $2, $3, $4 FROM settlement_batch_state
 WHERE batch = $1 AND state <> 'WITHDRAWN';

-- name: answered
-- The batch is answered once something definite was said of each of its lines.
INSERT INTO settlement_state (batch, state, previous, who, recorded_on)
SELECT s.batch, 'ANSWERED', 'SENT', $2, $3 FROM settlement_batch_state AS s
 WHERE s.batch = $1 AND s.state = 'SENT'
   AND NOT EXISTS (
     SELECT FROM settlement_line AS l
       LEFT JOIN settlement_line_outcome AS o ON (o.batch, o.line) = (l.batch, l.line)
      WHERE l.batch = s.batch AND l.line >= 1 AND coalesce(o.outcome, 'UNKNOWN') = 'UNKNOWN');

-- name: send
-- The batch leaves for the partner; the database refuses one that is not approved.
INSERT INTO settlement_state (batch, state, previous, who, recorded_on)
SELECT batch, 'SENT', state, $2, $3 FROM settlement_batch_state WHERE batch = $1;

-- name: runs
-- The deliveries of a batch, in order.
SELECT d.run, d.place, d.recorded_on, d.chain_nth, d.chain_link, e.run IS NOT NULL AS ended
  FROM file_delivery AS d LEFT JOIN file_delivery_end AS e USING (batch, run)
 WHERE d.batch = $1 ORDER BY d.run;

-- name: start
-- A delivery begins.
INSERT INTO file_delivery (batch, run, who, recorded_on, place) VALUES ($1, $2, $3, $4, $5);

-- name: finish
-- Everything of it has arrived.
INSERT INTO file_delivery_end (batch, run) VALUES ($1, $2) ON CONFLICT DO NOTHING;
