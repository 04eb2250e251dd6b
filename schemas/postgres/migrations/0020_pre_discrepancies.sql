-- Reconciliation: what does not tie, since when, and what people say of it. Nothing here is ever
-- changed: a discrepancy that is gone is closed by a row, and so is one that was explained.

-- ── what is read ────────────────────────────────────────────────────────────────────────────

-- What the feeds brought, each event once: repeats of an id are left out.
CREATE VIEW feed_record AS
  SELECT e.stream_id, e.seq, e.recorded_at, e.source, e.role, e.outcome, e.body
    FROM card_event AS e
   WHERE e.role IN ('books', 'compare') AND e.outcome NOT IN ('DUPLICATE', 'CONFLICT');

-- Whose card events concern a partner.
CREATE VIEW settlement_issuer AS
  SELECT DISTINCT partner, issuer FROM contract_version;

-- The place of the chart that an account stands at, as a partner's control sheet shows it.
CREATE FUNCTION settlement_place(account text, partner text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN account LIKE 'member/%' THEN 'member'
    WHEN account LIKE 'reward-cost/%' THEN 'cost'
    WHEN account LIKE 'partner-payable/%' AND
      (partner IS NULL OR account = 'partner-payable/' || partner) THEN 'payable'
    WHEN account = 'payout-clearing' THEN 'clearing'
    WHEN account = 'bank' THEN 'bank'
    WHEN account LIKE 'fee/%' THEN 'fee'
    WHEN account = 'rounding' THEN 'rounding'
    WHEN account = 'write-off' THEN 'write-off'
    ELSE 'other' END
$$;

-- Every transfer as a movement of the partner that its contract names.
CREATE VIEW settlement_movement AS
  SELECT t.stream_id, t.seq, t.leg, c.partner, t.unit, t.amount, d.accounted_on,
         settlement_place(t.debit, coalesce(c.partner, '')) AS from_place,
         settlement_place(t.credit, coalesce(c.partner, '')) AS to_place,
         CASE
           WHEN m.kind IS NOT NULL THEN m.kind
           WHEN t.debit LIKE 'reward-cost/%' AND t.credit LIKE 'member/%' THEN 'GRANTED'
           WHEN t.debit LIKE 'member/%' AND t.credit LIKE 'reward-cost/%' THEN 'CLAWED_BACK'
           WHEN t.debit LIKE 'fee/%' OR t.credit LIKE 'fee/%' THEN 'FEE'
           WHEN t.debit = 'rounding' OR t.credit = 'rounding' THEN 'ROUNDING'
           WHEN t.debit = 'write-off' OR t.credit = 'write-off' THEN 'WRITTEN_OFF'
           WHEN (t.debit LIKE 'member/%' OR t.credit LIKE 'member/%')
             AND (t.debit LIKE 'partner-payable/%' OR t.credit LIKE 'partner-payable/%'
                  OR t.debit = 'payout-clearing' OR t.credit = 'payout-clearing') THEN 'SEALED'
           ELSE 'OTHER' END AS kind
    FROM transfer AS t
    JOIN accounting_date AS d ON (d.stream_id, d.seq, d.leg) = (t.stream_id, t.seq, t.leg)
    LEFT JOIN contract_version AS c ON (c.contract, c.version) = (t.contract, t.version)
    LEFT JOIN settlement_move AS m ON (m.stream_id, m.seq, m.leg) = (t.stream_id, t.seq, t.leg);

-- What the accounts of the ledger hold at the end of a day, by place; credits less debits.
CREATE FUNCTION settlement_ledger(through date)
  RETURNS TABLE (unit text, place text, amount bigint)
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT unit, settlement_place(account, NULL),
         sum(CASE side WHEN 'credit' THEN amount ELSE -amount END)::bigint
    FROM accounting_posting(through) GROUP BY 1, 2
$$;

-- ── what is kept ────────────────────────────────────────────────────────────────────────────

-- One comparison of a partner's month. `second_above` (minor units) and `answer_days` are options
-- of the run: amounts above the one need two people, answers later than the other are missing.
CREATE TABLE reconciliation_run (
  partner       text NOT NULL CHECK (btrim(partner) <> ''),
  nth           integer NOT NULL CHECK (nth >= 1),
  period        text NOT NULL CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  who           text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on   date NOT NULL,
  second_above  bigint NOT NULL CHECK (second_above >= 0),
  answer_days   integer NOT NULL CHECK (answer_days >= 0),
  found         integer NOT NULL CHECK (found >= 0),
  previous      integer GENERATED ALWAYS AS (CASE WHEN nth > 1 THEN nth - 1 END) STORED,
  CONSTRAINT reconciliation_run_once PRIMARY KEY (partner, nth),
  CONSTRAINT reconciliation_run_follows FOREIGN KEY (partner, previous)
    REFERENCES reconciliation_run (partner, nth),
  CONSTRAINT reconciliation_run_terms UNIQUE (partner, nth, period, recorded_on, second_above)
);

-- What a run found for the first time. Its id is a hash of what it is, so the same is found again.
CREATE TABLE discrepancy (
  id            text CONSTRAINT discrepancy_once PRIMARY KEY CHECK (id ~ '^[0-9a-f]{20}$'),
  partner       text NOT NULL,
  run           integer NOT NULL,
  period        text NOT NULL,
  comparison    text NOT NULL
    CHECK (comparison IN ('feeds', 'ledger', 'files', 'answers', 'control')),
  code          text NOT NULL CONSTRAINT discrepancy_code CHECK (code IN (
    'MISSING_IN_BOOKS', 'MISSING_IN_COMPARE', 'DOUBLED_IN_BOOKS', 'DOUBLED_IN_COMPARE',
    'AMOUNT_DIFFERS', 'CURRENCY_DIFFERS', 'MISSING_LINE', 'DOUBLED_LINE', 'UNKNOWN_LINE',
    'MISSING_IN_LEDGER', 'WRONG_PARTNER', 'WRONG_MEMBER', 'WRONG_UNIT', 'MISSING_FILE',
    'CHANGED_FILE', 'NOT_ANSWERED', 'ANSWERED_TWICE', 'ANSWERED_NOT_SENT', 'LEDGER_DIFFERS')),
  subject       text NOT NULL,
  amount        bigint NOT NULL,     -- left side less right side
  unit          text NOT NULL,
  again         integer NOT NULL CHECK (again >= 0), -- how often it was gone and came back
  owner         text NOT NULL CHECK (owner IN ('issuer', 'network', 'partner', 'milepost')),
  detail        text NOT NULL,
  first_seen    date NOT NULL,
  second_above  bigint NOT NULL,
  second_eyes   boolean NOT NULL GENERATED ALWAYS AS (abs(amount) > second_above) STORED,
  CONSTRAINT discrepancy_of FOREIGN KEY (partner, run, period, first_seen, second_above)
    REFERENCES reconciliation_run (partner, nth, period, recorded_on, second_above)
);
CREATE INDEX discrepancy_by_partner ON discrepancy (partner, period);

-- The run that no longer found it.
CREATE TABLE discrepancy_closing (
  id       text CONSTRAINT discrepancy_closing_once PRIMARY KEY REFERENCES discrepancy,
  partner  text NOT NULL,
  run      integer NOT NULL,
  FOREIGN KEY (partner, run) REFERENCES reconciliation_run (partner, nth)
);

-- What somebody says of it. A second saying takes the place of the first until it is approved.
CREATE TABLE discrepancy_resolution (
  id           text NOT NULL REFERENCES discrepancy,
  nth          integer NOT NULL CHECK (nth >= 1),
  who          text NOT NULL CHECK (btrim(who) <> ''),
  who_key      text GENERATED ALWAYS AS (person_key(who)) STORED,
  recorded_on  date NOT NULL,
  reason       text NOT NULL CHECK (btrim(reason) <> ''),
  after        integer GENERATED ALWAYS AS (CASE WHEN nth > 1 THEN nth - 1 END) STORED,
  CONSTRAINT discrepancy_resolution_once PRIMARY KEY (id, nth),
  CONSTRAINT discrepancy_resolution_by UNIQUE (id, nth, who_key),
  CONSTRAINT discrepancy_resolution_follows FOREIGN KEY (id, after)
    REFERENCES discrepancy_resolution (id, nth)
);

-- The second pair of eyes.
CREATE TABLE discrepancy_approval (
  id            text CONSTRAINT discrepancy_approval_once PRIMARY KEY,
  nth           integer NOT NULL,
  resolver_key  text NOT NULL,
  approver      text NOT NULL CHECK (btrim(approver) <> ''),
  recorded_on   date NOT NULL,
  CONSTRAINT discrepancy_approval_of FOREIGN KEY (id, nth, resolver_key)
    REFERENCES discrepancy_resolution (id, nth, who_key),
  CONSTRAINT discrepancy_approval_four_eyes CHECK (person_key(approver) <> resolver_key)
);

-- Where each stands: gone, explained, explained and waiting for a second person, or open.
CREATE VIEW discrepancy_state AS
  SELECT d.id, d.partner, d.period, d.comparison, d.code, d.subject, d.amount, d.unit, d.owner,
         d.detail, d.first_seen, d.second_eyes, r.nth, r.who, r.reason, a.approver,
         CASE WHEN c.id IS NOT NULL THEN 'CLOSED'
              WHEN r.id IS NULL THEN 'OPEN'
              WHEN d.second_eyes AND a.id IS NULL THEN 'PROPOSED'
              ELSE 'RESOLVED' END AS state
    FROM discrepancy AS d
    LEFT JOIN discrepancy_closing AS c ON c.id = d.id
    LEFT JOIN LATERAL (
      SELECT s.* FROM discrepancy_resolution AS s WHERE s.id = d.id ORDER BY s.nth DESC LIMIT 1
    ) AS r ON true
    LEFT JOIN discrepancy_approval AS a ON (a.id, a.nth) = (r.id, r.nth);

CREATE TRIGGER audit_run AFTER INSERT ON reconciliation_run FOR EACH ROW
  EXECUTE FUNCTION audit_row('reconcile', 'who', 'partner', 'recorded_on', 'nth');
CREATE TRIGGER audit_resolution AFTER INSERT ON discrepancy_resolution FOR EACH ROW
  EXECUTE FUNCTION audit_row('discrepancy resolve', 'who', 'id', 'recorded_on', 'nth');
CREATE TRIGGER audit_discrepancy_approval AFTER INSERT ON discrepancy_approval FOR EACH ROW
  EXECUTE FUNCTION audit_row('discrepancy approve', 'approver', 'id', 'recorded_on', 'nth');

-- ── who may do what ─────────────────────────────────────────────────────────────────────────

GRANT SELECT ON feed_record, settlement_issuer, settlement_movement, discrepancy_state
  TO milepost_app, milepost_author, milepost_approver, milepost_operator, milepost_auditor;
GRANT SELECT ON reconciliation_run, discrepancy, discrepancy_closing, discrepancy_resolution,
  discrepancy_approval
  TO milepost_app, milepost_author, milepost_approver, milepost_operator, milepost_auditor;
GRANT INSERT ON reconciliation_run, discrepancy, discrepancy_closing, discrepancy_resolution
  TO milepost_app, milepost_operator;
GRANT INSERT ON discrepancy_approval TO milepost_app, milepost_approver;
