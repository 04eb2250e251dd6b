-- name: sequence
-- Every stream is numbered from 1 to where it stands, without a gap.
WITH found AS (
  SELECT stream_id, count(*) AS events, min(seq) AS first, max(seq) AS last
    FROM card_event GROUP BY stream_id
), fault AS (
  SELECT format('%s: %s events from %s to %s, the stream stands at %s; first gap after %s',
                coalesce(s.name, 'stream ' || f.stream_id), coalesce(f.events, 0), f.first, f.last,
                p.next_seq - 1,
                (SELECT min(e.seq) FROM card_event AS e
                  WHERE e.stream_id = f.stream_id AND NOT EXISTS (
                    SELECT FROM card_event AS n
                     WHERE (n.stream_id, n.seq) = (e.stream_id, e.seq + 1)))) AS what
    FROM found AS f
    FULL JOIN stream_position AS p USING (stream_id)
    LEFT JOIN stream AS s ON s.stream_id = coalesce(p.stream_id, f.stream_id)
   WHERE coalesce(f.events, 0) IS DISTINCT FROM p.next_seq - 1
      OR (f.events > 0 AND (f.first <> 1 OR f.last <> p.next_seq - 1))
)
SELECT (SELECT coalesce(sum(events), 0)::bigint FROM found) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: offsets
-- Every consumed record is recorded once, in the order of the topic, before the next offset.
WITH event AS (
  SELECT stream_id, seq, offset_at,
         lag(offset_at) OVER (PARTITION BY stream_id ORDER BY seq) AS before
    FROM card_event WHERE offset_at IS NOT NULL
), taken AS (
  SELECT stream_id, offset_at FROM event UNION ALL SELECT stream_id, offset_at FROM dead_letter
), fault AS (
  SELECT stream_id, format('offset %s is recorded %s times', offset_at, count(*)) AS what
    FROM taken GROUP BY stream_id, offset_at HAVING count(*) > 1
  UNION ALL
  SELECT stream_id, format('seq %s has offset %s after %s', seq, offset_at, before)
    FROM event WHERE offset_at < before
  UNION ALL
  SELECT t.stream_id, format('offset %s is recorded, the stream stands at %s', max(t.offset_at),
                             p.next_offset)
    FROM taken AS t LEFT JOIN stream_position AS p USING (stream_id)
   GROUP BY t.stream_id, p.next_offset
  HAVING max(t.offset_at) >= coalesce(p.next_offset, 0)
)
SELECT (SELECT count(*) FROM taken) AS checked,
       ARRAY(SELECT format('%s: %s', name, what) FROM fault LEFT JOIN stream USING (stream_id)
              ORDER BY 1 LIMIT $1) AS faults;

-- name: revisions
-- Within a stream decisions never see older facts than the one before, nor facts of the future.
WITH event AS (
  SELECT stream_id, seq, revision,
         lag(revision) OVER (PARTITION BY stream_id ORDER BY seq) AS before
    FROM card_event
), fault AS (
  SELECT stream_id, seq, format('saw facts %s, the one before saw %s', revision, before) AS what
    FROM event WHERE revision < before
  UNION ALL
  SELECT e.stream_id, e.seq, format('saw facts %s, there are %s', e.revision, f.revision)
    FROM event AS e, fact_revision AS f WHERE e.revision > f.revision
)
SELECT (SELECT count(*) FROM event) AS checked,
       ARRAY(SELECT format('%s seq %s %s', name, seq, what)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, seq LIMIT $1)
         AS faults;

-- name: owners
-- Identities of events that are not recorded.
WITH fault AS (
  SELECT format('identity %s belongs to stream %s seq %s, which is not recorded', i.identity,
                i.stream_id, i.seq) AS what
    FROM event_identity AS i
   WHERE NOT EXISTS (SELECT FROM card_event AS e WHERE (e.stream_id, e.seq) = (i.stream_id, i.seq))
)
SELECT (SELECT count(*) FROM event_identity) AS checked,
       ARRAY(SELECT what FROM fault ORDER BY what COLLATE "C" LIMIT $1) AS faults;

-- name: waiting
-- An event that waits is recorded, with the same bytes and as what it waits for.
WITH fault AS (
  SELECT w.stream_id, w.seq, w.event_id,
         CASE WHEN e.seq IS NULL THEN 'is not recorded'
              WHEN e.body <> w.body THEN 'is recorded with other content'
              WHEN e.exact_keys IS DISTINCT FROM w.exact_keys
              THEN 'is recorded with other exact keys'
              ELSE format('is recorded %s/%s', e.outcome, e.reason) END AS what
    FROM waiting_event AS w LEFT JOIN card_event AS e USING (stream_id, seq)
   WHERE e.seq IS NULL OR e.body <> w.body OR e.exact_keys IS DISTINCT FROM w.exact_keys
      OR (w.reason = 'FAILED') <> (e.outcome = 'FAILED')
      OR (w.reason = 'MISSING_ORIGINAL' AND e.reason IS DISTINCT FROM 'MISSING_ORIGINAL')
)
SELECT (SELECT count(*) FROM waiting_event) AS checked,
       ARRAY(SELECT format('%s seq %s: %s waits and %s', name, seq, event_id, what)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, seq LIMIT $1)
         AS faults;

-- name: sealed
-- What was rejected may hold a card number: it lies in an envelope of age, never in clear.
WITH fault AS (
  SELECT stream_id, offset_at FROM dead_letter
   WHERE substring(sealed FROM 1 FOR 22) <> convert_to(E'age-encryption.org/v1\n', 'UTF8')
)
SELECT (SELECT count(*) FROM dead_letter) AS checked,
       ARRAY(SELECT format('%s offset %s is not sealed', name, offset_at)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, offset_at LIMIT $1)
         AS faults;

-- name: shapes
-- A transfer moves a positive amount between two accounts; a member's leg is the account's own,
-- and what card events post is between the funder's cost and that, or the account of a fee.
WITH fault AS (
  SELECT t.stream_id, t.seq, t.leg, format('%s → %s, %s', t.debit, t.credit, t.amount) AS what
    FROM transfer AS t JOIN stream AS s USING (stream_id)
   WHERE t.amount <= 0 OR t.debit = t.credit
      OR (t.debit LIKE 'member/%' AND t.debit <> 'member/' || t.account_id)
      OR (t.credit LIKE 'member/%' AND t.credit <> 'member/' || t.account_id)
      OR (s.name LIKE 'card-transactions/%' AND (
            (t.debit, t.credit) NOT IN (
              ('reward-cost/' || t.funder, 'member/' || t.account_id),
              ('member/' || t.account_id, 'reward-cost/' || t.funder))
            AND NOT (t.debit = 'reward-cost/' || t.funder AND t.credit LIKE 'fee/%')
            AND NOT (t.credit = 'reward-cost/' || t.funder AND t.debit LIKE 'fee/%')))
)
SELECT (SELECT count(*) FROM transfer) AS checked,
       ARRAY(SELECT format('%s seq %s leg %s: %s', name, seq, leg, what)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, seq, leg LIMIT $1)
         AS faults;

-- name: balances
-- A running balance is what its stream's transfers come to.
WITH moved AS (
  SELECT stream_id, account, unit,
         sum(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS amount
    FROM posting GROUP BY stream_id, account, unit
), fault AS (
  SELECT stream_id, account, unit, coalesce(b.amount, 0) AS held, coalesce(m.amount, 0) AS moved
    FROM moved AS m FULL JOIN balance AS b USING (stream_id, account, unit)
   WHERE coalesce(b.amount, 0) <> coalesce(m.amount, 0)
)
SELECT (SELECT count(*) FROM balance) AS checked,
       ARRAY(SELECT format('%s %s: the balance is %s, the transfers come to %s %s', name, account,
                           held, moved, unit)
               FROM fault LEFT JOIN stream USING (stream_id)
              ORDER BY stream_id, account COLLATE "C", unit COLLATE "C" LIMIT $1) AS faults;

-- name: zero
-- All balances of a unit add up to nothing.
WITH unit AS (SELECT unit, sum(amount) AS amount FROM balance GROUP BY unit)
SELECT (SELECT count(*) FROM unit) AS checked,
       ARRAY(SELECT format('%s is out of balance by %s', unit, amount)
               FROM unit WHERE amount <> 0 ORDER BY unit COLLATE "C" LIMIT $1) AS faults;

-- name: entries
-- The legs of an event are numbered from 1; those of an entry belong to one grant and name its
-- first leg.
WITH event AS (
  SELECT stream_id, seq, count(*) AS legs, min(leg) AS first, max(leg) AS last
    FROM transfer GROUP BY stream_id, seq
), fault AS (
  SELECT stream_id, seq, format('%s legs from %s to %s', legs, first, last) AS what
    FROM event WHERE first <> 1 OR last <> legs
  UNION ALL
  SELECT t.stream_id, t.seq, format('leg %s is no part of entry %s', t.leg, t.entry)
    FROM transfer AS t
    JOIN stream AS s USING (stream_id)
    LEFT JOIN transfer AS f
      ON (f.stream_id, f.seq, f.leg, f.entry) = (t.stream_id, t.seq, t.entry, t.entry)
   WHERE t.entry <> t.leg AND (
         f.leg IS NULL OR t.entry > t.leg
      OR (f.account_id, f.of_stream_id, f.of_purchase, f.contract, f.rule, f.unit)
         <> (t.account_id, t.of_stream_id, t.of_purchase, t.contract, t.rule, t.unit)
      OR (s.name LIKE 'card-transactions/%' AND
          (f.version, f.governing_on, f.effective_on, f.available_on)
          <> (t.version, t.governing_on, t.effective_on, t.available_on)))
)
SELECT (SELECT count(*) FROM transfer) AS checked,
       ARRAY(SELECT format('%s seq %s: %s', name, seq, what)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, seq, what LIMIT $1)
         AS faults;

-- name: causes
-- An event is POSTED if, and only if, it has transfers; a command may have some.
WITH moved AS (SELECT DISTINCT stream_id, seq FROM transfer), fault AS (
  SELECT coalesce(e.stream_id, m.stream_id) AS stream_id, coalesce(e.seq, m.seq) AS seq,
         CASE WHEN e.seq IS NULL THEN 'has transfers and is not recorded'
              WHEN m.seq IS NULL THEN 'is POSTED without a transfer'
              ELSE format('is %s and has transfers', e.outcome) END AS what
    FROM card_event AS e FULL JOIN moved AS m USING (stream_id, seq)
   WHERE e.seq IS NULL OR (e.outcome = 'POSTED' AND m.seq IS NULL)
      OR (m.seq IS NOT NULL AND e.outcome NOT IN ('POSTED', 'RECORDED'))
)
SELECT (SELECT count(*) FROM card_event) AS checked,
       ARRAY(SELECT format('%s seq %s %s', name, seq, what)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id, seq LIMIT $1)
         AS faults;

-- name: approvals
-- A contract is what was signed, and another person than its author has approved it.
WITH fault AS (
  SELECT contract, version, 'is not the document that was signed' AS what FROM contract_version
   WHERE encode(sha256(convert_to(document, 'UTF8')), 'hex') <> sha256
  UNION ALL
  SELECT a.contract, a.version,
         CASE WHEN v.contract IS NULL THEN 'is approved and was never applied'
              WHEN a.revision > f.revision THEN 'is approved in the future'
              ELSE format('was written by %s and approved by %s', v.author, a.approver) END
    FROM contract_approval AS a
    LEFT JOIN contract_version AS v USING (contract, version)
   CROSS JOIN fact_revision AS f
   WHERE v.contract IS NULL OR a.author_key <> person_key(v.author)
      OR person_key(a.approver) = person_key(v.author) OR a.revision > f.revision
)
SELECT (SELECT count(*) FROM contract_version) AS checked,
       ARRAY(SELECT format('%s/%s %s', contract, version, what) FROM fault
              ORDER BY contract COLLATE "C", version LIMIT $1) AS faults;

-- name: publisher
-- What is published is committed. A stream without a cursor counts too: nothing of it is published
-- yet, and how far the publisher is must not show in what was checked.
WITH placed AS (
  SELECT stream_id, coalesce(c.seq, 0) AS seq, p.next_seq - 1 AS last
    FROM stream_position AS p FULL JOIN publisher_cursor AS c USING (stream_id)
), fault AS (
  SELECT stream_id, seq, last FROM placed WHERE last IS NULL OR seq > last OR seq < 0
)
SELECT (SELECT count(*) FROM placed) AS checked,
       ARRAY(SELECT format('%s is published up to %s and stands at %s', name, seq, last)
               FROM fault LEFT JOIN stream USING (stream_id) ORDER BY stream_id LIMIT $1) AS faults;

-- name: accounts
-- Every account that a transfer or a balance names.
SELECT debit AS account FROM transfer UNION SELECT credit FROM transfer
 UNION SELECT account FROM balance;

-- name: events
-- Every event with the identities that it owns.
SELECT e.stream_id, s.name, e.seq, e.role, e.outcome, e.reason, uuid_send(i.identity), e.body
  FROM card_event AS e
  JOIN stream AS s USING (stream_id)
  LEFT JOIN event_identity AS i USING (stream_id, seq)
 ORDER BY e.stream_id, e.seq;

-- name: purchases
-- Every purchase, account by account.
SELECT stream_id, account_id, purchase, issuer_id, label, account_key, link_key, body, exact_keys
  FROM purchase ORDER BY stream_id, account_id COLLATE "C", purchase;

-- name: grants
-- What the ledger holds of every purchase, account by account.
WITH part AS (
  SELECT of_stream_id, account_id, of_purchase, contract, version, rule, funder, unit,
         governing_on, available_on, '' AS party, amount
    FROM member_movement WHERE NOT settles
  UNION ALL
  SELECT of_stream_id, account_id, of_purchase, contract, version, rule, funder, unit,
         governing_on, available_on, party, amount
    FROM fee_movement
)
SELECT of_stream_id, account_id, of_purchase, contract, version, rule, funder, unit, governing_on,
       available_on, party, sum(amount)::bigint AS amount
  FROM part
 GROUP BY of_stream_id, account_id COLLATE "C", of_purchase, contract, version, rule, funder, unit,
          governing_on, available_on, party, account_id
 ORDER BY of_stream_id, account_id COLLATE "C", of_purchase;

-- name: totals
-- Every running total, account by account.
SELECT stream_id, account_id, total_key, contract, rule, kind, terms, scope, scope_id, period, unit,
       total, granted
  FROM scope_total ORDER BY stream_id, account_id COLLATE "C";

-- name: waits
-- Every event without a purchase, account by account.
SELECT stream_id, account_id, seq, reason, body, exact_keys
  FROM waiting_event ORDER BY stream_id, account_id COLLATE "C", seq;

-- name: identities
-- How many identities are recorded.
SELECT count(*) FROM event_identity;

-- name: ends
-- The last sequence number of every stream.
SELECT stream_id, next_seq - 1 AS last FROM stream_position;
