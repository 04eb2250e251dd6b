-- name: headers
-- Batches with their approvals, in order of partner and sequence; nulls ask for all.
SELECT b.batch, b.partner, b.sequence, b.revision, b.through, b.sealed_by, b.stream_id, b.seq,
       b.last_seq, b.vector::text AS vector, b.facts, b.totals::text AS totals,
       b.held::text AS held, b.carried::text AS carried, a.approver, a.approved_on,
       CASE WHEN s.state NOT IN ('SEALED', 'APPROVED') THEN s.state END AS later
  FROM settlement_batch AS b
  LEFT JOIN settlement_approval AS a USING (batch)
  LEFT JOIN settlement_batch_state AS s USING (batch)
 WHERE ($1::text IS NULL OR b.partner = $1) AND ($2::text IS NULL OR b.batch = $2)
 ORDER BY b.partner COLLATE "C", b.sequence;

-- name: terms
-- The settlement clauses of every version signed with a partner.
SELECT contract, version, terms::text AS terms FROM settlement_terms WHERE partner = $1;

-- name: lines
-- The lines of a batch that stand in its files, in their order.
SELECT line, account_id, membership_number, issuer_id, of_stream_id, of_purchase, purchase,
       contract, version, rule, award, unit, activity_on, amount, original_batch, original_line
  FROM settlement_line WHERE batch = $1 AND line >= 1 ORDER BY line;

-- name: flows
-- What sealing posted, by unit, contract and funder; what was taken back apart.
SELECT unit, contract, funder,
       sum(CASE WHEN debit LIKE 'member/%' THEN amount ELSE -amount END)::bigint AS amount
  FROM settlement_posting WHERE batch = $1
 GROUP BY unit, contract, funder, debit LIKE 'member/%';

-- name: files
-- What was stored of a batch's files.
SELECT name, layout, bytes, sha256, records, totals::text AS totals
  FROM settlement_file WHERE batch = $1 ORDER BY name COLLATE "C";

-- name: add_file
-- What a file is, stored once.
INSERT INTO settlement_file (batch, name, layout, bytes, sha256, records, totals)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::jsonb);

-- name: unannounced
-- Batches whose present state has not been announced.
SELECT b.batch
  FROM settlement_batch AS b
  JOIN settlement_batch_state AS s USING (batch)
  LEFT JOIN settlement_announcement AS n ON (n.batch, n.state) = (s.batch, s.state)
 WHERE n.batch IS NULL
 ORDER BY b.partner COLLATE "C", b.sequence;

-- name: announced
-- A batch's state has been announced; saying so twice changes nothing.
INSERT INTO settlement_announcement (batch, state) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- name: approve
-- A second person's approval; the database refuses the one who sealed.
INSERT INTO settlement_approval (batch, sealed_by_key, approver, approved_on)
SELECT batch, sealed_by_key, $2, $3 FROM settlement_batch WHERE batch = $1;

-- name: granted
-- What the rewards of a batch were granted as.
SELECT contract, version, rule, unit,
       sum(CASE WHEN debit LIKE 'member/%' THEN amount ELSE -amount END)::bigint AS amount
  FROM settlement_posting WHERE batch = $1
 GROUP BY contract, version, rule, unit;

-- name: pieces
-- A line and the other lines of its sum, each with what the partner last said of it.
SELECT o.line, o.account_id, o.membership_number, o.issuer_id, o.purchase, o.contract, o.version,
       o.rule, o.award, o.unit, o.activity_on, o.amount, o.original_batch, o.original_line,
       s.outcome, s.code
  FROM settlement_line AS l
  JOIN settlement_line AS o
    ON (o.batch, o.account_id, o.of_stream_id, o.of_purchase, o.contract, o.rule, o.award, o.unit)
     = (l.batch, l.account_id, l.of_stream_id, l.of_purchase, l.contract, l.rule, l.award, l.unit)
  LEFT JOIN settlement_line_outcome AS s ON (s.batch, s.line) = (o.batch, o.line)
 WHERE l.batch = $1 AND l.line = $2
 ORDER BY o.line;

-- name: sources
-- The transfers behind a line's sum, with the records that caused them.
SELECT s.stream, s.seq, s.leg, s.contract, s.version, s.rule, s.funder, s.unit, s.debit, s.credit,
       s.amount, s.effective_on, s.available_on, s.offset_at, s.source, s.role, s.body
  FROM line_source AS s
 WHERE s.batch = $1 AND s.line = ANY($2::integer[])
 ORDER BY s.stream COLLATE "C", s.seq, s.leg;

-- name: causes
-- What is behind the lines that change an earlier one, of one batch or of all: the records that
-- caused the transfers of their sums, and whether those gave back a line that came to nothing.
SELECT DISTINCT l.batch, l.line, s.stream, s.seq, s.role, s.body, v.kind AS moved
  FROM settlement_line AS l
  JOIN settlement_line AS o
    ON (o.batch, o.account_id, o.of_stream_id, o.of_purchase, o.contract, o.rule, o.award, o.unit)
     = (l.batch, l.account_id, l.of_stream_id, l.of_purchase, l.contract, l.rule, l.award, l.unit)
  JOIN line_source AS s ON (s.batch, s.line) = (o.batch, o.line)
  LEFT JOIN settlement_move AS v ON (v.stream_id, v.seq, v.leg) = (s.stream_id, s.seq, s.leg)
 WHERE l.line >= 1 AND l.original_line IS NOT NULL AND ($1::text IS NULL OR l.batch = $1);

-- name: export
-- Every line that stood in a file, as `export batches` gives it.
SELECT l.batch, b.partner, b.sequence, b.revision, s.state, l.line, l.membership_number,
       l.account_id, l.purchase, l.rule, l.award, l.unit, l.amount, l.original_batch,
       l.original_line, o.outcome, o.code
  FROM settlement_line AS l
  JOIN settlement_batch AS b USING (batch)
  JOIN settlement_batch_state AS s USING (batch)
  LEFT JOIN settlement_line_outcome AS o ON (o.batch, o.line) = (l.batch, l.line)
 WHERE l.line >= 1
 ORDER BY b.partner COLLATE "C", b.sequence, l.line;
