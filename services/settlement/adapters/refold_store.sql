-- name: commands
-- What the commands of settlement recorded, in order.
SELECT stream_id, seq, body FROM settlement_command ORDER BY stream_id, seq;

-- name: next_sequence
-- The number of the partner's next batch.
SELECT coalesce(max(sequence), 0) + 1 FROM settlement_batch WHERE partner = $1;

-- name: labels
-- What the purchases of a batch were called when it was sealed.
SELECT DISTINCT of_stream_id, of_purchase, purchase FROM settlement_line WHERE batch = $1;

-- name: batches
-- Every batch, in a fixed order.
SELECT batch FROM settlement_batch ORDER BY partner COLLATE "C", sequence;

-- name: settlement_batch
-- A batch as it is stored.
SELECT t::text AS found FROM settlement_batch AS t WHERE t.batch = $1;

-- name: settlement_line
-- Its lines.
SELECT t::text AS found FROM settlement_line AS t WHERE t.batch = $1;

-- name: settlement_member
-- Which transfer stands in which of its lines.
SELECT t::text AS found FROM settlement_member AS t WHERE t.batch = $1;

-- name: settlement_file
-- What its files are.
SELECT t::text AS found FROM settlement_file AS t WHERE t.batch = $1;

-- name: transfer
-- What sealing it posted.
SELECT t::text AS found FROM settlement_posting AS t WHERE t.batch = $1;

-- name: balance
-- Balances of its partner's stream; a row of zero and no row are the same.
SELECT t::text AS found FROM balance AS t
 WHERE t.amount <> 0
   AND t.stream_id = (SELECT b.stream_id FROM settlement_batch AS b WHERE b.batch = $1);

-- name: approval
-- Who approved a batch.
SELECT sealed_by_key, approver, approved_on FROM settlement_approval WHERE batch = $1;

-- name: add_approval
-- The same in the rebuilt ledger.
INSERT INTO settlement_approval (batch, sealed_by_key, approver, approved_on)
VALUES ($1, $2, $3, $4);

-- name: sent
-- Who sent a batch, and when.
SELECT previous, who, recorded_on FROM settlement_state WHERE batch = $1 AND state = 'SENT';

-- name: add_sent
-- The same in the rebuilt ledger.
INSERT INTO settlement_state (batch, state, previous, who, recorded_on)
VALUES ($1, 'SENT', $2, $3, $4);

-- name: settlement_state
-- Where it stood, without the head of the audit chain: a rebuild has none.
SELECT row(t.state, t.previous, t.who, t.recorded_on, t.reason)::text AS found
  FROM settlement_state AS t WHERE t.batch = $1;

-- name: acknowledgement
-- What the partner said of its lines.
SELECT t::text AS found FROM acknowledgement AS t WHERE t.batch = $1;

-- name: settlement_answer
-- The files that said so.
SELECT t::text AS found FROM settlement_answer AS t WHERE t.batch = $1;

-- name: settlement_payment
-- Its payments.
SELECT t::text AS found FROM settlement_payment AS t WHERE t.batch = $1;

-- name: settlement_merge
-- The partner's numbers that its answers merged.
SELECT t::text AS found FROM settlement_merge AS t WHERE t.batch = $1;

-- name: settlement_follow_up
-- What followed on it in the ledger.
SELECT t::text AS found FROM settlement_follow_up AS t WHERE t.batch = $1;
