-- The rest of what people do, in the audit too; and what the commands of accrual write when a person
-- gives them with a role of their own.

-- ── who did what ────────────────────────────────────────────────────────────────────────────

-- Whom a command was told, where the rows that it writes have no place for a name: a setting of its
-- own transaction. Without one, the login.
CREATE FUNCTION audit_actor() RETURNS text LANGUAGE sql STABLE
  RETURN coalesce(nullif(btrim(current_setting('milepost.actor', true)), ''), session_user);

-- An import is one row for each statement. Arguments: the action, and what it counts.
CREATE FUNCTION audit_import() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
DECLARE
  actor text;
BEGIN
  EXECUTE format('SELECT %I.audit_actor()', TG_TABLE_SCHEMA) INTO actor;
  EXECUTE format(
    'INSERT INTO %I.audit (actor, action, subject, login, role, program, detail) '
    'SELECT $1, $2, ''revision '' || min(revision), session_user, $3, $4, '
    '       jsonb_build_object($5::text, count(*)) FROM added HAVING count(*) > 0',
    TG_TABLE_SCHEMA)
    USING actor, TG_ARGV[0], current_setting('role'), current_setting('application_name'),
          TG_ARGV[1];
  RETURN NULL;
END
$$;
DROP TRIGGER audit_members ON member_row;
DROP FUNCTION audit_members();
CREATE TRIGGER audit_members AFTER INSERT ON member_row REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_import('member import', 'rows');
CREATE TRIGGER audit_dates AFTER INSERT ON account_dates REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_import('member import', 'dates');
CREATE TRIGGER audit_activations AFTER INSERT ON activation REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_import('activation import', 'rows');

-- Which change that a bank asked for a stored account accepts, as batch/line; null when imported.
ALTER TABLE settlement_payout ADD COLUMN accepts text;

-- Never what is sealed.
CREATE FUNCTION audit_payout() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.audit (actor, action, subject, recorded_on, login, role, program, detail) '
    'SELECT recorded_by, CASE WHEN accepts IS NULL THEN ''payout import'' ELSE ''payout accept'' END,'
    '       coalesce(accepts, ''revision '' || revision), recorded_on, session_user, $1, $2, '
    '       CASE WHEN accepts IS NULL THEN jsonb_build_object(''rows'', count(*)) '
    '            ELSE jsonb_build_object(''account_id'', min(owner), ''revision'', revision) END '
    '  FROM added GROUP BY recorded_by, recorded_on, accepts, revision', TG_TABLE_SCHEMA)
    USING current_setting('role'), current_setting('application_name');
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_payout AFTER INSERT ON settlement_payout REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_payout();

-- Commands that are events of their own: one row for each, and so for each stream that a command
-- passes. Its inputs stand in the record, at the place that is named here.
CREATE FUNCTION audit_command() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog SET timezone = 'UTC' AS $$
DECLARE
  inputs jsonb := convert_from(NEW.body, 'UTF8')::jsonb;
  what text := CASE inputs ->> 'command'
    WHEN 'reconsider-account' THEN 'reconsider account'
    WHEN 'reconsider-contract' THEN 'reconsider contract'
    WHEN 'review-resolve' THEN 'review resolve' END;
  actor text := inputs ->> 'by';
BEGIN
  IF what IS NULL THEN
    RETURN NULL;
  END IF;
  IF actor IS NULL THEN
    EXECUTE format('SELECT %I.audit_actor()', TG_TABLE_SCHEMA) INTO actor;
  END IF;
  EXECUTE format(
    'INSERT INTO %I.audit (actor, action, subject, recorded_on, login, role, program, detail) '
    'VALUES ($1, $2, $3, $4::date, session_user, $5, $6, $7)', TG_TABLE_SCHEMA)
    USING actor, what,
          coalesce(inputs ->> 'account', inputs ->> 'contract',
                   concat_ws('/', inputs ->> 'issuer', inputs ->> 'event')),
          inputs ->> 'on', current_setting('role'), current_setting('application_name'),
          jsonb_strip_nulls(jsonb_build_object(
            'stream_id', NEW.stream_id, 'seq', NEW.seq, 'linked_to', inputs -> 'linked_to',
            'accounts', jsonb_array_length(inputs -> 'accounts')));
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_command AFTER INSERT ON card_event FOR EACH ROW WHEN (NEW.role = 'command')
  EXECUTE FUNCTION audit_command();

-- Rejected records that somebody sends once more. What they hold stays sealed where it is.
CREATE TABLE dead_letter_replay (
  source_topic      text NOT NULL,
  source_partition  integer NOT NULL,
  source_offset     bigint NOT NULL,
  who               text,            -- null: nobody was named
  recorded_on       date NOT NULL,
  id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);

CREATE FUNCTION audit_replay() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog AS $$
BEGIN
  EXECUTE format(
    'INSERT INTO %I.audit (actor, action, subject, recorded_on, login, role, program, detail) '
    'SELECT coalesce(who, session_user), ''dead-letters replay'', '
    '       source_topic || ''/'' || source_partition, recorded_on, session_user, $1, $2, '
    '       jsonb_build_object(''offsets'', jsonb_agg(source_offset ORDER BY source_offset)) '
    '  FROM added GROUP BY who, source_topic, source_partition, recorded_on '
    ' ORDER BY source_topic, source_partition', TG_TABLE_SCHEMA)
    USING current_setting('role'), current_setting('application_name');
  RETURN NULL;
END
$$;
CREATE TRIGGER audit_replay AFTER INSERT ON dead_letter_replay REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION audit_replay();

GRANT SELECT ON dead_letter_replay
  TO milepost_app, milepost_author, milepost_approver, milepost_operator, milepost_auditor;
GRANT INSERT ON dead_letter_replay TO milepost_app, milepost_operator;

-- ── who may do what ─────────────────────────────────────────────────────────────────────────

-- An approval, an import, and deciding anew post what they change, in the command's own
-- transaction; so does whoever links an event. Of what is derived only the values may change.
GRANT INSERT ON card_event, transfer TO milepost_approver;
GRANT INSERT ON balance TO milepost_approver;
GRANT UPDATE (next_seq) ON stream_position TO milepost_approver;
GRANT UPDATE (amount) ON balance TO milepost_approver;
GRANT INSERT ON purchase, scope_total TO milepost_approver, milepost_operator;
GRANT UPDATE (label, body) ON purchase TO milepost_approver, milepost_operator;
GRANT UPDATE (total, granted) ON scope_total TO milepost_approver, milepost_operator;
GRANT INSERT, DELETE ON waiting_event TO milepost_approver, milepost_operator;
GRANT INSERT ON event_identity TO milepost_operator;

-- An approver decides anew because of an approval, and records nothing else; neither does a login
-- that has an approver's rights by being a member, without taking the role.
CREATE FUNCTION card_event_of_approver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.role <> 'command'
     OR convert_from(NEW.body, 'UTF8')::jsonb ->> 'command' IS DISTINCT FROM 'contract-approve' THEN
    RAISE insufficient_privilege
      USING MESSAGE = 'permission denied: an approver records approvals only';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER card_event_of_approver AFTER INSERT ON card_event FOR EACH ROW
  WHEN (current_user <> 'milepost_app'
        AND pg_has_role(current_user, 'milepost_approver', 'USAGE')
        AND NOT pg_has_role(current_user, 'milepost_operator', 'USAGE')
        AND NOT pg_has_role(current_user, 'milepost_app', 'USAGE'))
  EXECUTE FUNCTION card_event_of_approver();
