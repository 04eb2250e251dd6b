-- A partner reads what does not tie with it, and what is said of it: its own rows and no others.

DO $$
DECLARE
  target text;
  own text;
BEGIN
  FOREACH target IN ARRAY ARRAY[
    'reconciliation_run', 'discrepancy', 'discrepancy_closing', 'discrepancy_resolution',
    'discrepancy_approval'
  ] LOOP
    own := CASE
      WHEN target IN ('discrepancy_resolution', 'discrepancy_approval')
        THEN format('EXISTS (SELECT FROM discrepancy AS d WHERE d.id = %I.id)', target)
      ELSE 'partner = (SELECT settlement_own_partner())'
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

ALTER VIEW discrepancy_state SET (security_invoker = true);

GRANT SELECT ON discrepancy, discrepancy_closing, discrepancy_resolution, discrepancy_approval,
  discrepancy_state TO milepost_partner;
