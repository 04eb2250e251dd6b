-- What is closed or sealed takes no more rows. The rows of a closing and of a batch come in the
-- transaction that makes it; whoever inserts one later, by whatever program, is refused. A
-- transaction is told by the id that it wrote on the parent's row, which nobody can set; no
-- savepoint may lie between the two.

-- Arguments: the table of the parent, and the column that names it on both sides.
CREATE FUNCTION made_at_once() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
  late text;
BEGIN
  EXECUTE format(
    'SELECT a.key FROM (SELECT DISTINCT %1$I AS key FROM added) AS a '
    'WHERE NOT EXISTS (SELECT FROM %2$I.%3$I AS p '
    'WHERE p.%1$I = a.key AND p.xmin = pg_current_xact_id()::xid) LIMIT 1',
    TG_ARGV[1], TG_TABLE_SCHEMA, TG_ARGV[0]) INTO late;
  IF late IS NOT NULL THEN
    RAISE EXCEPTION 'new row for % is refused by "%": % is complete', TG_TABLE_NAME, TG_NAME, late
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME,
            TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NULL;
END
$$;

CREATE TRIGGER period_close_position_at_once AFTER INSERT ON period_close_position
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION made_at_once('period_close', 'period');
CREATE TRIGGER period_close_balance_at_once AFTER INSERT ON period_close_balance
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION made_at_once('period_close', 'period');
CREATE TRIGGER settlement_line_at_once AFTER INSERT ON settlement_line
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION made_at_once('settlement_batch', 'batch');
CREATE TRIGGER settlement_member_at_once AFTER INSERT ON settlement_member
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION made_at_once('settlement_batch', 'batch');
CREATE TRIGGER settlement_file_at_once AFTER INSERT ON settlement_file
  REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION made_at_once('settlement_batch', 'batch');

-- ── periods ─────────────────────────────────────────────────────────────────────────────────

-- How many streams a closing stopped; one that came later has no row in it. Whoever does not say
-- had all that there are.
CREATE FUNCTION streams_now() RETURNS integer LANGUAGE sql STABLE
BEGIN ATOMIC
  SELECT count(*)::integer FROM stream_position;
END;
ALTER TABLE period_close ADD COLUMN streams integer NOT NULL DEFAULT 0 CHECK (streams >= 0);
UPDATE period_close AS c
   SET streams = (SELECT count(*) FROM period_close_position AS p WHERE p.period = c.period);
ALTER TABLE period_close ALTER COLUMN streams SET DEFAULT streams_now();

-- A closing records where its streams are, not where somebody would have them.
CREATE FUNCTION closed_where_it_is() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog AS $$
DECLARE
  off smallint;
BEGIN
  EXECUTE format(
    'SELECT a.stream_id FROM added AS a LEFT JOIN %I.stream_position AS s USING (stream_id) '
    'WHERE s.next_seq - 1 IS DISTINCT FROM a.seq LIMIT 1', TG_TABLE_SCHEMA) INTO off;
  IF off IS NOT NULL THEN
    RAISE EXCEPTION 'new row for % is refused by "%": stream % is elsewhere',
      TG_TABLE_NAME, TG_NAME, off
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME,
            TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER period_close_position_of AFTER INSERT ON period_close_position
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION closed_where_it_is();

-- Nothing is posted at a place that a closing has passed. Whoever posts holds its streams to the end,
-- as recording does anyway: a closing waits for it, or is seen here. A transaction that looks with
-- an older eye would see none.
CREATE FUNCTION posted_after_closings() RETURNS trigger LANGUAGE plpgsql
  SET search_path = pg_catalog AS $$
DECLARE
  place text;
BEGIN
  EXECUTE format(
    'SELECT FROM %I.stream_position WHERE stream_id IN (SELECT stream_id FROM added) '
    'ORDER BY stream_id FOR KEY SHARE', TG_TABLE_SCHEMA);
  EXECUTE format(
    'SELECT format(''%%s/%%s'', a.stream_id, a.seq) '
    'FROM (SELECT stream_id, min(seq) AS seq FROM added GROUP BY stream_id) AS a '
    'WHERE a.seq <= (SELECT max(p.seq) FROM %I.period_close_position AS p '
    'WHERE p.stream_id = a.stream_id) LIMIT 1', TG_TABLE_SCHEMA) INTO place;
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    place := 'what such a transaction cannot see';
  END IF;
  IF place IS NOT NULL THEN
    RAISE EXCEPTION 'new row for % is refused by "%": % is closed', TG_TABLE_NAME, TG_NAME, place
      USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = TG_NAME,
            TABLE = TG_TABLE_NAME, SCHEMA = TG_TABLE_SCHEMA;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER transfer_after_closings AFTER INSERT ON transfer
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION posted_after_closings();

-- ── batches ─────────────────────────────────────────────────────────────────────────────────

-- A partner's numbers leave no gap: each refers to the one before it.
ALTER TABLE settlement_batch
  ADD COLUMN after integer
    GENERATED ALWAYS AS (CASE WHEN sequence > 1 THEN sequence - 1 END) STORED,
  ADD CONSTRAINT settlement_batch_follows FOREIGN KEY (partner, after)
    REFERENCES settlement_batch (partner, sequence);
