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
