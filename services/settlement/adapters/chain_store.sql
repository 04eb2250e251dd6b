-- name: lock
-- One sealer at a time; false when another one is at work. Held to the end of the transaction.
SELECT pg_try_advisory_xact_lock(hashtextextended('milepost.audit', 0));

-- name: head
-- The last link.
SELECT nth, link FROM audit_link ORDER BY nth DESC LIMIT 1;

-- name: unsealed
-- Rows that have no link and are old enough, in order. Not those after the last one: a row may
-- become visible later than one that was numbered after it.
SELECT a.id, to_char(a.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS at,
       a.actor, a.action, a.subject, coalesce(a.recorded_on::text, '') AS "on", a.login, a.role, a.program,
       a.detail::text AS detail
  FROM audit AS a
 WHERE a.recorded_at < clock_timestamp() - make_interval(secs => $1::integer)
   AND NOT EXISTS (SELECT FROM audit_link AS l WHERE l.id = a.id)
 ORDER BY a.id LIMIT $2;

-- name: links
-- The links after one, each with its row.
SELECT l.nth, l.id AS link_id, l.previous, l.link,
       a.id, to_char(a.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS at,
       a.actor, a.action, a.subject, coalesce(a.recorded_on::text, '') AS "on", a.login, a.role, a.program,
       a.detail::text AS detail
  FROM audit_link AS l LEFT JOIN audit AS a ON a.id = l.id
 WHERE l.nth > $1 ORDER BY l.nth LIMIT $2;

-- name: heads
-- The heads that were kept with batches and deliveries.
SELECT batch, state AS place, chain_nth AS nth, chain_link AS link FROM settlement_state
 WHERE chain_nth IS NOT NULL
UNION ALL
SELECT batch, 'delivery ' || run, chain_nth, chain_link FROM file_delivery
 WHERE chain_nth IS NOT NULL
 ORDER BY 1, 2;

-- name: rows
-- What was done, latest first.
SELECT a.recorded_at, a.actor, a.action, a.subject, a.recorded_on, a.login, a.role,
       l.nth AS link, a.detail::text AS detail
  FROM audit AS a LEFT JOIN audit_link AS l USING (id)
 WHERE ($1::text IS NULL OR a.subject = $1) AND ($2::text IS NULL OR a.actor = $2)
 ORDER BY a.id DESC LIMIT $3;
