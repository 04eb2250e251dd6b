-- The whole of milepost's tables. Amounts are bigint minor units; instants are timestamptz in UTC.
-- The application connects as milepost_app: what it may only insert, it may only insert.

-- Roles are shared by the databases of a server, and several starters may come at once.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_app') THEN
    CREATE ROLE milepost_app NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

-- ── streams: the one order ──────────────────────────────────────────────────────────────────

CREATE TABLE stream (
  stream_id  smallint PRIMARY KEY,
  name       text NOT NULL CONSTRAINT stream_name_unique UNIQUE
);

CREATE TABLE stream_position (
  stream_id    smallint PRIMARY KEY REFERENCES stream,
  epoch        bigint NOT NULL DEFAULT 0,
  owner        text,
  next_offset  bigint NOT NULL DEFAULT 0 CHECK (next_offset >= 0),
  next_seq     bigint NOT NULL DEFAULT 1 CHECK (next_seq >= 1)
) WITH (fillfactor = 50);

CREATE FUNCTION stream_position_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.next_offset < OLD.next_offset OR NEW.next_seq < OLD.next_seq OR NEW.epoch < OLD.epoch THEN
    RAISE EXCEPTION 'a stream position never moves backwards (stream %)', OLD.stream_id;
  END IF;
  RETURN NEW;
END
$$;
CREATE TRIGGER stream_position_forward BEFORE UPDATE ON stream_position
  FOR EACH ROW EXECUTE FUNCTION stream_position_forward();

-- One counter row orders every change of the facts (contracts, members). Locked to commit.
CREATE TABLE fact_revision (
  only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  revision  bigint NOT NULL
);
INSERT INTO fact_revision (revision) VALUES (0);

-- ── what was recorded ───────────────────────────────────────────────────────────────────────

CREATE TABLE card_event (
  stream_id    smallint NOT NULL,
  seq          bigint NOT NULL,
  offset_at    bigint,               -- position in the topic; null for a command
  recorded_at  timestamptz NOT NULL, -- the record's timestamp, or a command's recorded date
  source       text,                 -- topic/partition/offset of the raw feed
  role         text NOT NULL,        -- books | compare | command
  body         bytea NOT NULL,       -- canonical Avro bytes, or a command's inputs as JSON
  outcome      text NOT NULL,
  reason       text,
  revision     bigint NOT NULL,      -- the facts that the decision saw
  PRIMARY KEY (stream_id, seq),
  CONSTRAINT card_event_outcome CHECK (outcome IN
    ('POSTED', 'NO_REWARD', 'WAITING', 'DUPLICATE', 'CONFLICT', 'FAILED', 'RECORDED'))
);

CREATE TABLE event_identity (
  identity   uuid CONSTRAINT event_identity_unique PRIMARY KEY,
  stream_id  smallint NOT NULL,
  seq        bigint NOT NULL
);

CREATE TABLE dead_letter (
  stream_id         smallint NOT NULL,
  offset_at         bigint NOT NULL,
  source_topic      text NOT NULL,
  source_partition  integer NOT NULL,
  source_offset     bigint NOT NULL,
  feed              text,
  reason            text NOT NULL,
  schema_id         integer,
  recorded_at       timestamptz NOT NULL,
  sealed            bytea NOT NULL,
  PRIMARY KEY (stream_id, offset_at),
  CONSTRAINT dead_letter_source_unique UNIQUE (source_topic, source_partition, source_offset)
);

-- ── derived state of a stream: purchases, totals, what waits ────────────────────────────────

CREATE TABLE purchase (
  stream_id    smallint NOT NULL,
  purchase     bigint NOT NULL,      -- seq of the event that opened it
  issuer_id    text NOT NULL,
  account_id   text NOT NULL,
  label        text NOT NULL,        -- least event_id of its presentments; '' while there is none
  account_key  bigint NOT NULL,
  link_key     bigint NOT NULL,
  body         bytea NOT NULL,       -- legs and grants
  PRIMARY KEY (stream_id, purchase)
) WITH (fillfactor = 80);
CREATE INDEX purchase_by_account ON purchase (account_key, link_key);

CREATE TABLE waiting_event (
  stream_id    smallint NOT NULL,
  seq          bigint NOT NULL,
  issuer_id    text NOT NULL,
  account_id   text NOT NULL,
  account_key  bigint NOT NULL,
  event_id     text NOT NULL,
  reason       text NOT NULL CHECK (reason IN ('MISSING_ORIGINAL', 'FAILED')),
  names        text,                 -- original_event_id that is not recorded yet
  body         bytea NOT NULL,
  PRIMARY KEY (stream_id, seq)
);
CREATE INDEX waiting_event_by_account ON waiting_event (account_key);

CREATE TABLE scope_total (
  total_key  uuid PRIMARY KEY,
  stream_id  smallint NOT NULL,
  contract   text NOT NULL,
  rule       text NOT NULL,
  kind       text NOT NULL,
  terms      text NOT NULL,
  scope      text NOT NULL,
  scope_id   text NOT NULL,
  period     text NOT NULL,
  unit       text NOT NULL,
  total      bigint NOT NULL,        -- T
  granted    bigint NOT NULL         -- F(T)
) WITH (fillfactor = 70);

-- ── the ledger ──────────────────────────────────────────────────────────────────────────────

CREATE TABLE transfer (
  stream_id     smallint NOT NULL,
  seq           bigint NOT NULL,
  leg           integer NOT NULL,    -- from 1 within the event
  entry         integer NOT NULL,    -- the transfers of one grant share it (its first leg)
  account_id    text NOT NULL,       -- whose reward it is
  of_stream_id  smallint NOT NULL,   -- the purchase it belongs to
  of_purchase   bigint NOT NULL,
  contract      text NOT NULL,
  version       integer NOT NULL,
  rule          text NOT NULL,
  funder        text NOT NULL,
  unit          text NOT NULL,
  debit         text NOT NULL,
  credit        text NOT NULL,
  amount        bigint NOT NULL CHECK (amount BETWEEN 1 AND 9223372036854775807),
  governing_on  date NOT NULL,
  effective_on  date NOT NULL,
  available_on  date NOT NULL,
  PRIMARY KEY (stream_id, seq, leg),
  CONSTRAINT transfer_two_accounts CHECK (debit <> credit)
);
CREATE INDEX transfer_by_account ON transfer (account_id);

CREATE TABLE balance (
  stream_id  smallint NOT NULL,
  account    text NOT NULL,          -- ledger account of the chart
  unit       text NOT NULL,
  amount     bigint NOT NULL,        -- credits less debits
  PRIMARY KEY (stream_id, account, unit)
) WITH (fillfactor = 50);

CREATE VIEW ledger_balance AS
  SELECT account, unit, sum(amount) AS amount FROM balance GROUP BY account, unit;

CREATE VIEW posting AS
  SELECT stream_id, seq, leg, 'debit' AS side, debit AS account, unit, amount, effective_on
    FROM transfer
  UNION ALL
  SELECT stream_id, seq, leg, 'credit', credit, unit, amount, effective_on FROM transfer;

-- What moved on a member's account, signed from the member's side. Sealing moves it on to the
-- partner or the payout: that settles, it takes nothing back.
CREATE VIEW member_movement AS
  SELECT stream_id, seq, leg, entry, account_id, of_stream_id, of_purchase, contract, version, rule,
         funder, unit, CASE WHEN credit LIKE 'member/%' THEN amount ELSE -amount END AS amount,
         governing_on, effective_on, available_on,
         debit = 'payout-clearing' OR credit = 'payout-clearing'
           OR debit LIKE 'partner-payable/%' OR credit LIKE 'partner-payable/%' AS settles
    FROM transfer
   WHERE debit LIKE 'member/%' OR credit LIKE 'member/%';

CREATE TABLE publisher_cursor (
  stream_id  smallint PRIMARY KEY REFERENCES stream,
  epoch      bigint NOT NULL DEFAULT 0,
  owner      text,
  seq        bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- ── facts ───────────────────────────────────────────────────────────────────────────────────

-- casefold of the NFKC form: two spellings of one name are one person.
CREATE FUNCTION person_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT btrim(normalize(casefold(normalize(name, NFKC) COLLATE pg_catalog.pg_unicode_fast), NFKC))
$$;

CREATE TABLE contract_version (
  contract   text NOT NULL,
  version    integer NOT NULL CHECK (version >= 1),
  issuer     text NOT NULL,
  program    text NOT NULL,
  partner    text NOT NULL,
  document   text NOT NULL,          -- the file as signed
  sha256     text NOT NULL,
  terms      jsonb NOT NULL,         -- what settlement needs of it: currency, prices, file, awards
  author     text NOT NULL CHECK (btrim(author) <> ''),
  author_key text GENERATED ALWAYS AS (person_key(author)) STORED,
  revision   bigint NOT NULL,
  applied_on date NOT NULL,
  PRIMARY KEY (contract, version),
  CONSTRAINT contract_version_author UNIQUE (contract, version, author_key)
);

CREATE TABLE contract_approval (
  contract     text NOT NULL,
  version      integer NOT NULL,
  author_key   text NOT NULL,
  approver     text NOT NULL CHECK (btrim(approver) <> ''),
  revision     bigint NOT NULL,
  approved_on  date NOT NULL,
  PRIMARY KEY (contract, version),
  CONSTRAINT contract_approval_of FOREIGN KEY (contract, version, author_key)
    REFERENCES contract_version (contract, version, author_key),
  CONSTRAINT contract_approval_four_eyes CHECK (person_key(approver) <> author_key)
);

CREATE TABLE member_row (
  revision           bigint NOT NULL,
  account_id         text NOT NULL,
  card_token         text NOT NULL,
  program            text NOT NULL,
  enrolled_from      date NOT NULL,
  enrolled_to        date,
  member_id          text NOT NULL,
  card_product       text,
  partner            text,
  membership_number  text,
  PRIMARY KEY (account_id, card_token, program, enrolled_from, revision)
);

CREATE INDEX member_row_by_revision ON member_row (revision);

-- The partner's number of an account as it was at a revision; the latest row of a key holds.
CREATE FUNCTION settlement_membership(facts bigint)
  RETURNS TABLE (account_id text, partner text, member_id text, membership_number text)
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT DISTINCT ON (account_id, partner) account_id, partner, member_id, membership_number
    FROM (
      SELECT DISTINCT ON (account_id, card_token, program, enrolled_from) *
        FROM member_row
       WHERE revision <= facts
       ORDER BY account_id, card_token, program, enrolled_from, revision DESC
    ) AS current_row
   WHERE partner IS NOT NULL AND membership_number IS NOT NULL
   ORDER BY account_id, partner, revision DESC, enrolled_from DESC, card_token
$$;

-- The partner's number of an account as it is now.
CREATE VIEW partner_membership AS
  SELECT * FROM settlement_membership(9223372036854775807);

-- ── settlement ──────────────────────────────────────────────────────────────────────────────

CREATE TABLE settlement_batch (
  batch           text PRIMARY KEY,  -- partner-sequence
  partner         text NOT NULL,
  sequence        integer NOT NULL CHECK (sequence >= 1),
  revision        integer NOT NULL DEFAULT 0,
  through         date NOT NULL,
  sealed_by       text NOT NULL CHECK (btrim(sealed_by) <> ''),
  sealed_by_key   text GENERATED ALWAYS AS (person_key(sealed_by)) STORED,
  stream_id       smallint NOT NULL,
  seq             bigint NOT NULL,   -- its events in the partner's stream, first and last
  last_seq        bigint NOT NULL CHECK (last_seq >= seq),
  vector          jsonb NOT NULL,    -- stream -> last seq that was looked at
  facts           bigint NOT NULL,   -- revision whose partner numbers it saw
  totals          jsonb NOT NULL,    -- unit -> amount
  held            jsonb NOT NULL,    -- members that its layout cannot name, and why
  carried         jsonb NOT NULL,    -- members whose sum is below zero
  CONSTRAINT settlement_batch_name
    CHECK (batch = partner || '-' || lpad(sequence::text, greatest(6, length(sequence::text)), '0')),
  CONSTRAINT settlement_batch_sequence UNIQUE (partner, sequence),
  CONSTRAINT settlement_batch_sealer UNIQUE (batch, sealed_by_key)
);

-- The sum of the due transfers of one account, purchase, rule and unit, as it went to the partner.
-- A line that takes back more than its latest original has left stands as several lines.
CREATE TABLE settlement_line (
  batch              text NOT NULL REFERENCES settlement_batch,
  line               integer NOT NULL, -- from 1 in file order; 0 and below: sealed, in no file
  account_id         text NOT NULL,
  membership_number  text NOT NULL,    -- '' where the layout goes by account
  issuer_id          text NOT NULL,
  of_stream_id       smallint NOT NULL, -- the purchase, by its place in the record
  of_purchase        bigint NOT NULL,
  purchase           text NOT NULL,    -- and by name, as it was when sealed
  contract           text NOT NULL,
  version            integer NOT NULL, -- the highest of its transfers
  rule               text NOT NULL,
  award              text NOT NULL,
  unit               text NOT NULL,
  activity_on        date NOT NULL,
  amount             bigint NOT NULL,
  original_batch     text,
  original_line      integer,
  PRIMARY KEY (batch, line),
  CONSTRAINT settlement_line_in_file CHECK ((line >= 1) = (amount <> 0)),
  CONSTRAINT settlement_line_original CHECK (
    (original_batch IS NULL) = (original_line IS NULL)
    AND (amount >= 0 OR original_line IS NOT NULL)),
  FOREIGN KEY (original_batch, original_line) REFERENCES settlement_line (batch, line)
);
CREATE INDEX settlement_line_by_purchase ON settlement_line (of_stream_id, of_purchase);

-- A transfer is sealed once; those of a line in several pieces hang on the first.
CREATE TABLE settlement_member (
  stream_id  smallint NOT NULL,
  seq        bigint NOT NULL,
  leg        integer NOT NULL,
  batch      text NOT NULL,
  line       integer NOT NULL,
  CONSTRAINT settlement_member_once PRIMARY KEY (stream_id, seq, leg),
  FOREIGN KEY (batch, line) REFERENCES settlement_line (batch, line)
);
CREATE INDEX settlement_member_by_line ON settlement_member (batch, line);

CREATE TABLE settlement_file (
  batch    text NOT NULL REFERENCES settlement_batch,
  name     text NOT NULL,
  layout   text NOT NULL,
  bytes    bigint NOT NULL,
  sha256   text NOT NULL,
  records  integer NOT NULL,
  totals   jsonb NOT NULL,
  PRIMARY KEY (batch, name)
);

CREATE TABLE settlement_approval (
  batch          text PRIMARY KEY,
  sealed_by_key  text NOT NULL,
  approver       text NOT NULL CHECK (btrim(approver) <> ''),
  approved_on    date NOT NULL,
  CONSTRAINT settlement_approval_of FOREIGN KEY (batch, sealed_by_key)
    REFERENCES settlement_batch (batch, sealed_by_key),
  CONSTRAINT settlement_approval_four_eyes CHECK (person_key(approver) <> sealed_by_key)
);

-- What of a batch has been announced on the topic `settlements`.
CREATE TABLE settlement_announcement (
  batch  text NOT NULL REFERENCES settlement_batch,
  state  text NOT NULL CHECK (state IN ('SEALED', 'APPROVED')),
  PRIMARY KEY (batch, state)
);

-- What a partner may be paid: grants and clawbacks, signed from the member's side.
CREATE VIEW payable_transfer AS
  SELECT t.stream_id, t.seq, t.leg, t.account_id, p.issuer_id, t.of_stream_id, t.of_purchase,
         p.label AS purchase, t.contract, t.version, t.rule, t.funder, t.unit,
         CASE WHEN t.credit LIKE 'member/%' THEN t.amount ELSE -t.amount END AS amount,
         t.governing_on, t.effective_on, t.available_on, c.partner, c.program, c.terms
    FROM transfer AS t
    JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
    JOIN contract_version AS c ON (c.contract, c.version) = (t.contract, t.version)
   WHERE t.debit LIKE 'reward-cost/%' OR t.credit LIKE 'reward-cost/%';

-- The events behind a line's transfers.
CREATE VIEW line_source AS
  SELECT m.batch, m.line, t.stream_id, s.name AS stream, t.seq, t.leg, t.account_id, p.issuer_id,
         p.label AS purchase, t.contract, t.version, t.rule, t.funder, t.unit, t.debit, t.credit,
         t.amount, t.effective_on, t.available_on, e.offset_at, e.source, e.role, e.body
    FROM settlement_member AS m
    JOIN transfer AS t ON (t.stream_id, t.seq, t.leg) = (m.stream_id, m.seq, m.leg)
    JOIN purchase AS p ON (p.stream_id, p.purchase) = (t.of_stream_id, t.of_purchase)
    JOIN card_event AS e ON (e.stream_id, e.seq) = (t.stream_id, t.seq)
    JOIN stream AS s ON s.stream_id = t.stream_id;

-- How far each stream of card events is committed, and the facts that are. One statement that
-- reads it with the ledger sees both at the same instant.
CREATE VIEW settlement_horizon AS
  SELECT s.stream_id, s.name AS stream, coalesce(p.next_seq, 1) - 1 AS seq, f.revision AS facts
    FROM stream AS s
    LEFT JOIN stream_position AS p USING (stream_id)
   CROSS JOIN fact_revision AS f
   WHERE s.name LIKE 'card-transactions/%';

-- What the commands of settlement recorded, with their inputs.
CREATE VIEW settlement_command AS
  SELECT e.stream_id, e.seq, e.body
    FROM card_event AS e
    JOIN stream AS s USING (stream_id)
   WHERE s.name LIKE 'settlement/%';

-- What a partner's contracts say about settling.
CREATE VIEW settlement_terms AS
  SELECT contract, version, partner, terms FROM contract_version;

-- What sealing a batch posted: member to partner, or back.
CREATE VIEW settlement_posting AS
  SELECT b.batch, b.partner, t.*
    FROM settlement_batch AS b
    JOIN transfer AS t ON t.stream_id = b.stream_id AND t.seq BETWEEN b.seq AND b.last_seq;

-- ── who may do what ─────────────────────────────────────────────────────────────────────────

DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_app', current_schema());
END
$$;
GRANT SELECT, INSERT ON stream, card_event, event_identity, dead_letter, transfer,
  contract_version, contract_approval, member_row, settlement_batch, settlement_line,
  settlement_member, settlement_file, settlement_approval, settlement_announcement TO milepost_app;
GRANT SELECT, INSERT, UPDATE ON stream_position, publisher_cursor, purchase, scope_total, balance
  TO milepost_app;
GRANT SELECT, UPDATE ON fact_revision TO milepost_app;
GRANT SELECT, INSERT, DELETE ON waiting_event TO milepost_app;
GRANT SELECT ON ledger_balance, posting, member_movement, payable_transfer, line_source,
  partner_membership, settlement_command, settlement_horizon, settlement_posting, settlement_terms
  TO milepost_app;
