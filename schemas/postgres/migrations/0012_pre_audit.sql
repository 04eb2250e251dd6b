-- Who did what. The database writes the rows itself, whoever inserts and by which program; nobody
-- may write them by hand. Asynchronously each row gets a link: the hash of the link before it and
-- of the row. Whoever changes a row afterwards must change every link after it, and the last one
-- has left the house with each batch.

CREATE TABLE audit (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  recorded_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  actor        text NOT NULL,        -- as the command was told
  action       text NOT NULL,
  subject      text NOT NULL,
  recorded_on  date,                 -- the command's own date
  login        text NOT NULL,        -- as PostgreSQL knows who was connected
  role         text NOT NULL,
  program      text NOT NULL,
  detail       jsonb NOT NULL
);

CREATE TABLE audit_link (
  nth       bigint CONSTRAINT audit_link_once PRIMARY KEY CHECK (nth >= 1),
  id        bigint NOT NULL CONSTRAINT audit_link_of UNIQUE REFERENCES audit,
  previous  text NOT NULL CHECK (previous ~ '^[0-9a-f]{64}$'),
  link      text NOT NULL CHECK (link ~ '^[0-9a-f]{64}$'),
  after     bigint GENERATED ALWAYS AS (CASE WHEN nth > 1 THEN nth - 1 END) STORED,
  CONSTRAINT audit_link_pair UNIQUE (nth, link),
  CONSTRAINT audit_link_follows FOREIGN KEY (after, previous) REFERENCES audit_link (nth, link),
  CONSTRAINT audit_link_first CHECK ((nth = 1) = (previous = repeat('0', 64)))
);

-- Arguments: the action, and the columns of actor, subject and date; '' where there is none.
-- `state` stands for the row's own state in the action.
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
  given jsonb := to_jsonb(NEW);
  what text := replace(TG_ARGV[0], '{state}', lower(coalesce(given ->> 'state', '')));
BEGIN
  EXECUTE format(
    'INSERT INTO %I.audit (actor, action, subject, recorded_on, login, role, program, detail) '
    'VALUES ($1, $2, $3, $4::date, session_user, $5, $6, $7)', TG_TABLE_SCHEMA)
    USING given ->> TG_ARGV[1], what,
          concat_ws('/', given ->> TG_ARGV[2], given ->> nullif(TG_ARGV[4], '')),
          given ->> TG_ARGV[3], current_setting('role'), current_setting('application_name'),
          given - ARRAY['document', 'terms', 'chain_nth', 'chain_link', 'sent', 'after',
                        'approval', 'author_key', TG_ARGV[1], TG_ARGV[3]];
  RETURN NULL;
END
$$;

CREATE TRIGGER audit_state AFTER INSERT ON settlement_state FOR EACH ROW
  EXECUTE FUNCTION audit_row('batch {state}', 'who', 'batch', 'recorded_on', '');
CREATE TRIGGER audit_delivery AFTER INSERT ON file_delivery FOR EACH ROW
  EXECUTE FUNCTION audit_row('batch deliver', 'who', 'batch', 'recorded_on', '');
CREATE TRIGGER audit_answer AFTER INSERT ON settlement_answer FOR EACH ROW
  EXECUTE FUNCTION audit_row('acknowledge', 'who', 'batch', 'recorded_on', '');
CREATE TRIGGER audit_payment AFTER INSERT ON settlement_payment FOR EACH ROW
  EXECUTE FUNCTION audit_row('batch pay', 'who', 'batch', 'recorded_on', '');
CREATE TRIGGER audit_period AFTER INSERT ON period_close FOR EACH ROW
  EXECUTE FUNCTION audit_row('period close', 'who', 'period', 'recorded_on', '');
CREATE TRIGGER audit_contract AFTER INSERT ON contract_version FOR EACH ROW
  EXECUTE FUNCTION audit_row('contract apply', 'author', 'contract', 'applied_on', 'version');
CREATE TRIGGER audit_contract_approval AFTER INSERT ON contract_approval FOR EACH ROW
  EXECUTE FUNCTION audit_row('contract approve', 'approver', 'contract', 'approved_on', 'version');

-- A member import is one row for each statement: its file names nobody, the login does.
CREATE FUNCTION audit_members() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
DECLARE
  rows bigint;
  first bigint;
BEGIN
  SELECT count(*), min(revision) INTO rows, first FROM added;
  IF rows > 0 THEN
    EXECUTE format(
      'INSERT INTO %I.audit (actor, action, subject, login, role, program, detail) '
      'VALUES (session_user, $1, $2, session_user, $3, $4, $5)', TG_TABLE_SCHEMA)
      USING 'member import', 'revision ' || first, current_setting('role'),
            current_setting('application_name'), jsonb_build_object('rows', rows);
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_members AFTER INSERT ON member_row REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_members();

-- The head of the chain is kept with every state and delivery, and so in the manifests.
CREATE FUNCTION audit_head() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format('SELECT nth, link FROM %I.audit_link ORDER BY nth DESC LIMIT 1', TG_TABLE_SCHEMA)
    INTO NEW.chain_nth, NEW.chain_link;
  RETURN NEW;
END
$$;
CREATE TRIGGER audit_head BEFORE INSERT ON settlement_state
  FOR EACH ROW EXECUTE FUNCTION audit_head();
CREATE TRIGGER audit_head BEFORE INSERT ON file_delivery
  FOR EACH ROW EXECUTE FUNCTION audit_head();

GRANT SELECT ON audit TO milepost_app;
GRANT SELECT, INSERT ON audit_link TO milepost_app;
