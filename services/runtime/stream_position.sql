-- name: claim
-- Takes a stream: a higher epoch fences whoever held it. Waits for a batch that is in flight.
UPDATE stream_position AS p
   SET epoch = p.epoch + 1, owner = $2
  FROM stream AS s
 WHERE s.stream_id = p.stream_id AND s.name = $1
RETURNING p.stream_id, p.epoch, p.next_offset;

-- name: advance
-- Moves a claimed stream; no row means that another owner has claimed it or moved it.
UPDATE stream_position
   SET next_offset = $4, next_seq = next_seq + $5
 WHERE stream_id = $1 AND epoch = $2 AND next_offset = $3
RETURNING next_seq - $5;

-- name: lock
-- Serialises a command with the consumer of these streams; in id order, so that no two wait in a ring.
SELECT stream_id, next_seq FROM stream_position WHERE stream_id = ANY($1::smallint[])
 ORDER BY stream_id FOR UPDATE;

-- name: draw
-- Takes sequence numbers for events that a command appends; they have no offset.
UPDATE stream_position SET next_seq = next_seq + $2 WHERE stream_id = $1 RETURNING next_seq - $2;

-- name: still_mine
-- Where the claimed streams stand, of those that nobody else has claimed since.
SELECT p.stream_id, p.next_offset
  FROM stream_position AS p
  JOIN unnest($1::smallint[], $2::bigint[]) AS mine (stream_id, epoch) USING (stream_id, epoch);

-- name: offsets
-- Where the named streams stand, whoever owns them.
SELECT s.name, p.next_offset
  FROM stream AS s JOIN stream_position AS p USING (stream_id)
 WHERE s.name = ANY($1::text[]);

-- name: lock_streams
-- One creator of streams at a time, since ids are drawn in order. Held to commit.
SELECT pg_advisory_xact_lock(hashtextextended('milepost.stream', 0));

-- name: stream_ids
-- The ids of the streams of these names.
SELECT name, stream_id FROM stream WHERE name = ANY($1::text[]);

-- name: create_streams
-- New streams in the order given, with the offsets that they start from.
WITH wanted AS (
  SELECT name, next_offset, row_number() OVER (ORDER BY place) AS nth
    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS w (name, next_offset, place)
   WHERE NOT EXISTS (SELECT FROM stream AS s WHERE s.name = w.name)
), created AS (
  INSERT INTO stream (stream_id, name)
  SELECT (SELECT coalesce(max(stream_id), 0) FROM stream) + nth, name FROM wanted
  RETURNING stream_id, name
)
INSERT INTO stream_position (stream_id, next_offset)
SELECT c.stream_id, w.next_offset FROM created AS c JOIN wanted AS w USING (name);
