-- name: by_identity
-- The recorded events of these identities.
SELECT i.identity, e.stream_id, e.seq, e.body, e.exact_keys
  FROM event_identity AS i
  JOIN card_event AS e ON (e.stream_id, e.seq) = (i.stream_id, i.seq)
 WHERE i.identity = ANY($1::uuid[]);

-- name: known_sources
-- Which of these raw records lie among the dead letters already.
SELECT d.source_topic, d.source_partition, d.source_offset
  FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS w (topic, partition, at)
  JOIN dead_letter AS d
    ON (d.source_topic, d.source_partition, d.source_offset) = (w.topic, w.partition, w.at);
