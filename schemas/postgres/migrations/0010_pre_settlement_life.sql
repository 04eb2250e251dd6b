-- The life of a batch and of its lines. Every change is a row with who, when and why; what may
-- follow what is said by constraints, so that nobody can write an illegal move.

-- ── batches ─────────────────────────────────────────────────────────────────────────────────

-- A state is reached once, from the one before it, and left once: of two who would move a batch at
-- the same time one is refused.
CREATE TABLE settlement_state (
  batch        text NOT NULL REFERENCES settlement_batch,
  state        text NOT NULL,
  previous     text,
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  reason       text NOT NULL DEFAULT '',
  chain_nth    bigint,               -- head of the audit chain as it stood then
  chain_link   text,
  approval     text GENERATED ALWAYS AS (CASE WHEN state = 'APPROVED' THEN batch END) STORED
               REFERENCES settlement_approval (batch),
  CONSTRAINT settlement_state_once PRIMARY KEY (batch, state),
  CONSTRAINT settlement_state_left_once UNIQUE (batch, previous),
  CONSTRAINT settlement_state_follows FOREIGN KEY (batch, previous)
    REFERENCES settlement_state (batch, state),
  CONSTRAINT settlement_state_legal CHECK (
    (previous IS NULL AND state = 'SEALED')
    OR (previous, state) IN (('SEALED', 'APPROVED'), ('APPROVED', 'SENT'), ('SENT', 'ANSWERED'),
                             ('SEALED', 'WITHDRAWN'), ('APPROVED', 'WITHDRAWN'))),
  CONSTRAINT settlement_state_reason CHECK (state <> 'WITHDRAWN' OR btrim(reason) <> '')
);

INSERT INTO settlement_state (batch, state, who, recorded_on)
SELECT b.batch, 'SEALED', b.sealed_by, (e.recorded_at AT TIME ZONE 'UTC')::date
  FROM settlement_batch AS b JOIN card_event AS e ON (e.stream_id, e.seq) = (b.stream_id, b.seq);
INSERT INTO settlement_state (batch, state, previous, who, recorded_on)
SELECT batch, 'APPROVED', 'SEALED', approver, approved_on FROM settlement_approval;

-- An approval is the batch's next state: also one that is written by hand.
CREATE FUNCTION settlement_approved() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format('INSERT INTO %I.settlement_state (batch, state, previous, who, recorded_on) '
                 'VALUES ($1, $2, $3, $4, $5)', TG_TABLE_SCHEMA)
    USING NEW.batch, 'APPROVED', 'SEALED', NEW.approver, NEW.approved_on;
  RETURN NULL;
END
$$;
CREATE TRIGGER settlement_approved AFTER INSERT ON settlement_approval
  FOR EACH ROW EXECUTE FUNCTION settlement_approved();

-- Where each batch stands: the state that none follows.
CREATE VIEW settlement_batch_state WITH (security_invoker = true) AS
  SELECT s.batch, s.state, s.who, s.recorded_on, s.reason
    FROM settlement_state AS s
   WHERE NOT EXISTS (
     SELECT FROM settlement_state AS n WHERE (n.batch, n.previous) = (s.batch, s.state));

ALTER TABLE settlement_announcement
  DROP CONSTRAINT settlement_announcement_state_check,
  ADD CONSTRAINT settlement_announcement_state
    CHECK (state IN ('SEALED', 'APPROVED', 'SENT', 'ANSWERED', 'WITHDRAWN'));

-- ── what went out ───────────────────────────────────────────────────────────────────────────

-- A delivery is recorded before its first byte leaves; its end when all have arrived. Run 0 is the
-- first; a resend is the next run, after the one before it has ended.
CREATE TABLE file_delivery (
  batch        text NOT NULL,
  run          integer NOT NULL CHECK (run >= 0),
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  place        text NOT NULL,
  chain_nth    bigint,
  chain_link   text,
  sent         text GENERATED ALWAYS AS ('SENT') STORED,
  after        integer GENERATED ALWAYS AS (CASE WHEN run > 0 THEN run - 1 END) STORED,
  CONSTRAINT file_delivery_once PRIMARY KEY (batch, run),
  CONSTRAINT file_delivery_of FOREIGN KEY (batch, sent) REFERENCES settlement_state (batch, state)
);
CREATE TABLE file_delivery_end (
  batch  text NOT NULL,
  run    integer NOT NULL,
  PRIMARY KEY (batch, run),
  FOREIGN KEY (batch, run) REFERENCES file_delivery (batch, run)
);
ALTER TABLE file_delivery ADD CONSTRAINT file_delivery_follows
  FOREIGN KEY (batch, after) REFERENCES file_delivery_end (batch, run);

-- ── what came back ──────────────────────────────────────────────────────────────────────────

-- A file that a partner answered with. The same bytes again are the same answer.
CREATE TABLE settlement_answer (
  partner      text NOT NULL,
  sha256       text NOT NULL,
  batch        text NOT NULL REFERENCES settlement_batch,
  name         text NOT NULL,
  layout       text NOT NULL,
  bytes        bigint NOT NULL,
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  stream_id    smallint NOT NULL,
  seq          bigint NOT NULL,
  CONSTRAINT settlement_answer_once PRIMARY KEY (partner, sha256)
);

-- Money or units that have left for the partner. The same reference again is the same payment.
CREATE TABLE settlement_payment (
  batch        text NOT NULL,
  reference    text NOT NULL CHECK (btrim(reference) <> ''),
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  stream_id    smallint NOT NULL,
  seq          bigint NOT NULL,
  sent         text GENERATED ALWAYS AS ('SENT') STORED,
  CONSTRAINT settlement_payment_once PRIMARY KEY (batch, reference),
  FOREIGN KEY (batch, sent) REFERENCES settlement_state (batch, state)
);

-- What the partner said of a line that was sent, one after the other.
CREATE TABLE acknowledgement (
  batch              text NOT NULL,
  line               integer NOT NULL CHECK (line >= 1),
  nth                integer NOT NULL CHECK (nth >= 1),
  outcome            text NOT NULL,
  previous           text,
  code               text NOT NULL DEFAULT '',
  membership_number  text,           -- whom the partner merged the member into
  who                text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on        date NOT NULL,
  stream_id          smallint NOT NULL,
  seq                bigint NOT NULL,
  sent               text GENERATED ALWAYS AS ('SENT') STORED,
  after              integer GENERATED ALWAYS AS (CASE WHEN nth > 1 THEN nth - 1 END) STORED,
  CONSTRAINT acknowledgement_once PRIMARY KEY (batch, line, nth),
  CONSTRAINT acknowledgement_outcome UNIQUE (batch, line, nth, outcome),
  FOREIGN KEY (batch, line) REFERENCES settlement_line (batch, line),
  CONSTRAINT acknowledgement_sent FOREIGN KEY (batch, sent)
    REFERENCES settlement_state (batch, state),
  CONSTRAINT acknowledgement_follows FOREIGN KEY (batch, line, after, previous)
    REFERENCES acknowledgement (batch, line, nth, outcome),
  CONSTRAINT acknowledgement_first CHECK ((nth = 1) = (previous IS NULL)),
  CONSTRAINT acknowledgement_legal CHECK (CASE
    WHEN previous IS NULL
      THEN outcome IN ('ACCEPTED', 'WARNED', 'MERGED', 'REJECTED', 'UNKNOWN', 'PAID')
    WHEN previous = 'UNKNOWN'
      THEN outcome IN ('ACCEPTED', 'WARNED', 'MERGED', 'REJECTED', 'PAID')
    WHEN previous IN ('ACCEPTED', 'WARNED', 'MERGED') THEN outcome IN ('REJECTED', 'PAID')
    WHEN previous = 'PAID' THEN outcome = 'REJECTED'
    ELSE false END),
  CONSTRAINT acknowledgement_code CHECK (outcome <> 'REJECTED' OR btrim(code) <> ''),
  CONSTRAINT acknowledgement_number
    CHECK ((outcome = 'MERGED') = (coalesce(btrim(membership_number), '') <> ''))
);

-- What the partner has last said of each line.
CREATE VIEW settlement_line_outcome WITH (security_invoker = true) AS
  SELECT DISTINCT ON (batch, line) batch, line, nth, outcome, code, membership_number, recorded_on
    FROM acknowledgement ORDER BY batch, line, nth DESC;

-- ── what follows in the ledger ──────────────────────────────────────────────────────────────

-- A transfer that changes where a sealed line stands, and the line:
--   WITHDRAWN, REJECTED  payable → member; the line is void and its sum is due again
--   PAID                 payable → bank
--   RETURNED             bank → payable, before a paid line is REJECTED
CREATE TABLE settlement_move (
  stream_id  smallint NOT NULL,
  seq        bigint NOT NULL,
  leg        integer NOT NULL,
  batch      text NOT NULL,
  line       integer NOT NULL,
  kind       text NOT NULL CHECK (kind IN ('WITHDRAWN', 'REJECTED', 'PAID', 'RETURNED')),
  CONSTRAINT settlement_move_once PRIMARY KEY (stream_id, seq, leg),
  FOREIGN KEY (batch, line) REFERENCES settlement_line (batch, line)
);
CREATE INDEX settlement_move_by_line ON settlement_move (batch, line);

CREATE OR REPLACE VIEW payable_transfer AS
  SELECT t.stream_id, t.seq, t.leg, t.account_id, p.issuer_id, t.of_stream_id, t.of_purchase,
         p.label AS purchase, t.contract, t.version, t.rule, t.funder, t.unit,
         CASE WHEN t.credit LIKE 'member/%' THEN t.amount ELSE -t.amount END AS amount,
         t.governing_on, t.effective_on, t.available_on, c.partner, c.program, c.terms,
         NULL::text AS old_batch, NULL::integer AS old_line
    FROM transfer AS t
    JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
    JOIN contract_version AS c ON (c.contract, c.version) = (t.contract, t.version)
   WHERE (t.debit LIKE 'reward-cost/%' AND t.credit LIKE 'member/%')
      OR (t.credit LIKE 'reward-cost/%' AND t.debit LIKE 'member/%')
  UNION ALL
  SELECT t.stream_id, t.seq, t.leg, t.account_id, p.issuer_id, t.of_stream_id, t.of_purchase,
         p.label, t.contract, t.version, t.rule, t.funder, t.unit,
         CASE WHEN t.credit LIKE 'member/%' THEN t.amount ELSE -t.amount END,
         t.governing_on, t.effective_on, t.available_on, c.partner, c.program, c.terms,
         m.batch, m.line
    FROM settlement_move AS m
    JOIN transfer AS t ON (t.stream_id, t.seq, t.leg) = (m.stream_id, m.seq, m.leg)
    JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
    JOIN contract_version AS c ON (c.contract, c.version) = (t.contract, t.version)
   WHERE m.kind IN ('WITHDRAWN', 'REJECTED');

-- What withdrawals, answers and payments posted, by line.
CREATE VIEW settlement_follow_up AS
  SELECT m.batch, m.line, m.kind, t.*
    FROM settlement_move AS m
    JOIN transfer AS t ON (t.stream_id, t.seq, t.leg) = (m.stream_id, m.seq, m.leg);

-- Which line took the place of which: its transfers gave the old one back.
CREATE VIEW settlement_replacement AS
  SELECT DISTINCT n.batch, n.line, o.batch AS old_batch, o.line AS old_line, o.kind
    FROM settlement_member AS n
    JOIN settlement_move AS o ON (o.stream_id, o.seq, o.leg) = (n.stream_id, n.seq, n.leg);

-- What partners hold of us: the balance of what is sealed and not yet paid.
CREATE VIEW settlement_owed AS
  SELECT account, unit, sum(amount) AS amount FROM (
    SELECT credit AS account, unit, amount FROM transfer
     WHERE credit LIKE 'partner-payable/%' OR credit = 'payout-clearing'
    UNION ALL
    SELECT debit, unit, -amount FROM transfer
     WHERE debit LIKE 'partner-payable/%' OR debit = 'payout-clearing'
  ) AS leg GROUP BY account, unit;

-- ── partners' numbers ───────────────────────────────────────────────────────────────────────

-- The partner has merged one of its numbers into another, from a revision of the facts on.
CREATE TABLE settlement_merge (
  partner      text NOT NULL,
  number_from  text NOT NULL,
  number_to    text NOT NULL CHECK (btrim(number_to) <> ''),
  revision     bigint NOT NULL,
  recorded_on  date NOT NULL,
  batch        text NOT NULL REFERENCES settlement_batch,
  CONSTRAINT settlement_merge_once PRIMARY KEY (partner, number_from, revision),
  CONSTRAINT settlement_merge_two CHECK (number_from <> number_to)
);

-- Where merges lead from a number: each one followed is later than the one before.
CREATE FUNCTION settlement_merged(of_partner text, given text, facts bigint) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  number text := given;
  since bigint := -1;
  next_number text;
  next_revision bigint;
BEGIN
  LOOP
    SELECT m.number_to, m.revision INTO next_number, next_revision
      FROM settlement_merge AS m
     WHERE m.partner = of_partner AND m.number_from = number
       AND m.revision > since AND m.revision <= facts
     ORDER BY m.revision DESC LIMIT 1;
    IF NOT FOUND THEN RETURN number; END IF;
    number := next_number;
    since := next_revision;
  END LOOP;
END
$$;

-- The partner's number of an account as it was at a revision; the latest row of a key holds, and
-- the partner's own merges come after it.
CREATE OR REPLACE FUNCTION settlement_membership(facts bigint)
  RETURNS TABLE (account_id text, partner text, member_id text, membership_number text)
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT held.account_id, held.partner, held.member_id,
         CASE WHEN EXISTS (SELECT FROM settlement_merge AS m
                            WHERE (m.partner, m.number_from) = (held.partner, held.membership_number))
              THEN settlement_merged(held.partner, held.membership_number, facts)
              ELSE held.membership_number END
    FROM (
      SELECT DISTINCT ON (account_id, partner) account_id, partner, member_id, membership_number
        FROM (
          SELECT DISTINCT ON (account_id, card_token, program, enrolled_from) *
            FROM member_row
           WHERE revision <= facts
           ORDER BY account_id, card_token, program, enrolled_from, revision DESC
        ) AS current_row
       WHERE partner IS NOT NULL AND membership_number IS NOT NULL
       ORDER BY account_id, partner, revision DESC, enrolled_from DESC, card_token
    ) AS held
$$;

-- ── who may do what ─────────────────────────────────────────────────────────────────────────

GRANT SELECT, INSERT ON settlement_state, file_delivery, file_delivery_end, settlement_answer,
  settlement_payment, acknowledgement, settlement_move, settlement_merge TO milepost_app;
GRANT SELECT ON settlement_batch_state, settlement_line_outcome, settlement_follow_up,
  settlement_replacement, settlement_owed TO milepost_app;
