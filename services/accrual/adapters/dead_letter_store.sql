-- name: listed
-- The newest rejected records, of a feed or reason if one is named. What they hold stays sealed.
SELECT source_topic, source_partition, source_offset, feed, reason, schema_id, recorded_at,
       octet_length(sealed) AS bytes
  FROM dead_letter
 WHERE ($1::text IS NULL OR feed = $1) AND ($2::text IS NULL OR reason = $2)
 ORDER BY recorded_at DESC, stream_id, offset_at DESC
 LIMIT $3;

-- name: sealed
-- One rejected record by the place of its raw record, with its sealed bytes.
SELECT source_topic, source_partition, source_offset, feed, reason, schema_id, recorded_at, sealed
  FROM dead_letter
 WHERE (source_topic, source_partition, source_offset) = ($1, $2, $3);

-- name: replayed
-- That records are sent once more, in one statement: the audit has a row for each of its topics'
-- partitions.
INSERT INTO dead_letter_replay (source_topic, source_partition, source_offset, who, recorded_on)
SELECT topic, partition, place, $4, $5
  FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS w (topic, partition, place);
