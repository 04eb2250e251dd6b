-- Who may do what. A person's login is made a member of one or more of these roles
-- (GRANT milepost_approver TO bo); commands take the one that MILEPOST_ROLE names, and the server
-- refuses a role that the login is no member of. The services are milepost_app.
--
--   author    writes contracts
--   approver  approves contracts and batches, and writes nothing else
--   operator  imports members, seals, withdraws, delivers, takes in answers, pays, closes periods
--   auditor   reads everything, writes nothing
--   partner   reads its own batches, and what was said of them

DO $$
DECLARE
  person text;
BEGIN
  FOREACH person IN ARRAY ARRAY['author', 'approver', 'operator', 'auditor', 'partner'] LOOP
    BEGIN
      IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'milepost_' || person) THEN
        EXECUTE format('CREATE ROLE %I NOLOGIN', 'milepost_' || person);
      END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
    END;
  END LOOP;
END
$$;

-- Which partner a login belongs to. Written by the owner when the login is made.
CREATE TABLE settlement_partner_login (
  login    name PRIMARY KEY,
  partner  text NOT NULL CHECK (btrim(partner) <> '')
);

-- The partner of whoever is connected, whatever role was taken since.
CREATE FUNCTION settlement_own_partner() RETURNS text LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
  SELECT l.partner FROM settlement_partner_login AS l WHERE l.login = session_user;
END;

-- ── rows ────────────────────────────────────────────────────────────────────────────────────

-- The house sees every row, a partner its own: a row without a partner's name is its own where
-- its batch is.
DO $$
DECLARE
  target text;
  own text;
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'settlement_batch', 'settlement_answer', 'settlement_merge',
    'settlement_line', 'settlement_member', 'settlement_file', 'settlement_approval',
    'settlement_announcement', 'settlement_state', 'settlement_payment', 'settlement_move',
    'file_delivery', 'file_delivery_end', 'acknowledgement'
  ] LOOP
    own := CASE
      WHEN target IN ('settlement_batch', 'settlement_answer', 'settlement_merge')
        THEN 'partner = (SELECT settlement_own_partner())'
      ELSE format('EXISTS (SELECT FROM settlement_batch AS b WHERE b.batch = %I.batch)', target)
    END;
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', target);
    EXECUTE format(
      'CREATE POLICY house ON %I TO milepost_app, milepost_author, milepost_approver, '
      'milepost_operator, milepost_auditor, CURRENT_USER USING (true) WITH CHECK (true)', target);
    EXECUTE format(
      'CREATE POLICY partner ON %I FOR SELECT TO milepost_partner USING (%s)', target, own);
  END LOOP;
END
$$;

-- ── verbs ───────────────────────────────────────────────────────────────────────────────────

DO $$
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO milepost_author, milepost_approver, '
                 'milepost_operator, milepost_auditor, milepost_partner', current_schema());
  EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO milepost_author, milepost_approver, '
                 'milepost_operator, milepost_auditor', current_schema());
END
$$;
GRANT INSERT ON contract_version TO milepost_author;
GRANT INSERT ON contract_approval, settlement_approval TO milepost_approver;
GRANT UPDATE ON fact_revision TO milepost_author, milepost_approver, milepost_operator;
GRANT INSERT ON member_row, account_dates, activation, stream, card_event, transfer,
  settlement_batch, settlement_line, settlement_member, settlement_file, settlement_state,
  settlement_answer, settlement_payment, settlement_move, settlement_merge, acknowledgement,
  file_delivery, file_delivery_end, period_close, period_close_position, period_close_balance
  TO milepost_operator;
GRANT INSERT, UPDATE ON stream_position, balance TO milepost_operator;
GRANT SELECT ON settlement_batch, settlement_line, settlement_file, settlement_approval,
  settlement_state, settlement_answer, settlement_payment, acknowledgement, file_delivery,
  file_delivery_end, settlement_batch_state, settlement_line_outcome TO milepost_partner;
