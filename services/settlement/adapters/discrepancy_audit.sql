-- name: discrepancy_ids
-- A discrepancy's id is the hash of what it is: nothing of it was changed.
WITH told AS (
  SELECT d.id, left(encode(sha256(convert_to(concat_ws(E'\n',
           to_json(partner)::text, to_json(period)::text, to_json(comparison)::text,
           to_json(code)::text, to_json(subject)::text, to_json(amount::text)::text,
           to_json(unit)::text, to_json(again::text)::text), 'UTF8')), 'hex'), 20) AS wanted
    FROM discrepancy AS d
)
SELECT (SELECT count(*) FROM told) AS checked,
       ARRAY(SELECT format('discrepancy %s is not what it was', id) FROM told
              WHERE id <> wanted ORDER BY id LIMIT $1) AS faults;

-- name: discrepancy_runs
-- Runs are numbered without gaps; what each found is what stood of its month then; and each
-- discrepancy has the limit and the date of the run that found it first.
WITH stood AS (
  SELECT r.partner, r.nth, r.found, count(d.id) AS counted
    FROM reconciliation_run AS r
    LEFT JOIN (
      SELECT d.*, c.run AS closed_by
        FROM discrepancy AS d LEFT JOIN discrepancy_closing AS c USING (id)
    ) AS d ON d.partner = r.partner AND d.period = r.period AND d.run <= r.nth
          AND coalesce(d.closed_by > r.nth, true)
   GROUP BY r.partner, r.nth, r.found
), fault AS (
  SELECT format('%s run %s found %s, and %s stand', partner, nth, found, counted) AS what
    FROM stood WHERE found <> counted
  UNION ALL
  SELECT format('%s has no run %s', r.partner, r.nth - 1)
    FROM reconciliation_run AS r
   WHERE r.nth > 1 AND NOT EXISTS (
     SELECT FROM reconciliation_run AS p WHERE (p.partner, p.nth) = (r.partner, r.nth - 1))
  UNION ALL
  SELECT format('discrepancy %s: its run did not say so', d.id)
    FROM discrepancy AS d
    LEFT JOIN reconciliation_run AS r ON (r.partner, r.nth) = (d.partner, d.run)
   WHERE (r.period, r.recorded_on, r.second_above)
         IS DISTINCT FROM (d.period, d.first_seen, d.second_above)
  UNION ALL
  SELECT format('discrepancy %s was closed by run %s, before it was found', d.id, c.run)
    FROM discrepancy_closing AS c JOIN discrepancy AS d USING (id)
   WHERE c.partner <> d.partner OR c.run <= d.run
)
SELECT (SELECT count(*) FROM stood) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: discrepancy_eyes
-- Every resolution has a reason and follows the one before it, and nobody approved their own.
WITH said AS (
  SELECT r.id, r.nth, r.who, r.reason, a.approver,
         lag(r.nth, 1, 0) OVER (PARTITION BY r.id ORDER BY r.nth) AS before
    FROM discrepancy_resolution AS r
    LEFT JOIN discrepancy_approval AS a ON (a.id, a.nth) = (r.id, r.nth)
), fault AS (
  SELECT format('%s was resolved and approved by %s', id, approver) AS what FROM said
   WHERE person_key(approver) = person_key(who)
  UNION ALL
  SELECT format('resolution %s of %s: no reason, or not the next', nth, id) FROM said
   WHERE btrim(reason) = '' OR nth <> before + 1
  UNION ALL
  SELECT format('%s was approved, and nobody had resolved it', a.id)
    FROM discrepancy_approval AS a
   WHERE NOT EXISTS (SELECT FROM said AS s WHERE (s.id, s.nth) = (a.id, a.nth))
  UNION ALL
  SELECT format('%s was resolved, and is no discrepancy', s.id) FROM said AS s
   WHERE NOT EXISTS (SELECT FROM discrepancy AS d WHERE d.id = s.id)
)
SELECT (SELECT count(*) FROM said) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;
