-- name: keep
-- The bytes of an answer, once.
INSERT INTO settlement_answer_file (partner, sha256, name, layout, bytes, who, recorded_on,
                                    is_sealed, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING;

-- name: listed
-- What is kept, the newest first; null asks for every partner.
SELECT f.partner, f.sha256, f.name, f.layout, f.bytes, f.who, f.recorded_on, f.is_sealed,
       f.content IS NOT NULL AS kept,
       ARRAY(SELECT a.batch FROM settlement_answer AS a
              WHERE (a.partner, a.sha256) = (f.partner, f.sha256) ORDER BY a.batch) AS batches
  FROM settlement_answer_file AS f
 WHERE $1::text IS NULL OR f.partner = $1
 ORDER BY f.recorded_on DESC, f.partner COLLATE "C", f.name COLLATE "C", f.sha256;

-- name: found
-- Files whose sha256 begins so.
SELECT partner, sha256, name, bytes, is_sealed, content FROM settlement_answer_file
 WHERE starts_with(sha256, $1) ORDER BY partner COLLATE "C", sha256 LIMIT 2;

-- name: sealed
-- Every file that only the private key opens, one after the other.
SELECT partner, sha256, name, bytes, content FROM settlement_answer_file
 WHERE is_sealed AND sha256 > $1 ORDER BY sha256 LIMIT 100;

-- name: merges
-- Where answers' merges lead from these numbers of partners, in the order in which they were
-- recorded, each with the first line that told of it.
WITH RECURSIVE merged AS (
  SELECT m.* FROM unnest($1::text[], $2::text[]) AS t (partner, number)
    JOIN settlement_merge AS m ON (m.partner, m.number_from) = (t.partner, t.number)
  UNION
  SELECT m.* FROM merged AS before
    JOIN settlement_merge AS m
      ON (m.partner, m.number_from) = (before.partner, before.number_to)
     AND m.revision > before.revision
)
SELECT m.partner, m.number_from, m.number_to AS membership_number, m.recorded_on AS since, m.batch,
       (SELECT min(a.line) FROM acknowledgement AS a
          JOIN settlement_line AS l ON (l.batch, l.line) = (a.batch, a.line)
         WHERE a.batch = m.batch AND a.outcome = 'MERGED' AND a.membership_number = m.number_to
           AND l.membership_number = m.number_from) AS line,
       m.revision
  FROM merged AS m ORDER BY m.partner COLLATE "C", m.revision, m.number_from COLLATE "C";
