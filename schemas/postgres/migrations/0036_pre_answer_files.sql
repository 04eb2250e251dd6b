-- The files that partners and banks answered with, as evidence: the very bytes. What a bank sends
-- may name accounts, and is sealed to the payout key before it comes here; a partner's answer line
-- by line names what settlement_line holds in clear, and stands as it came. Never changed.
CREATE TABLE settlement_answer_file (
  partner      text NOT NULL,
  sha256       text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),   -- of the bytes as they came
  name         text NOT NULL,
  layout       text NOT NULL,
  bytes        bigint NOT NULL,
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  is_sealed    boolean NOT NULL,
  content      bytea,
  CONSTRAINT settlement_answer_file_once PRIMARY KEY (partner, sha256)
);

-- Of answers that were taken in before their bytes were kept there is no content; of any later one
-- there is.
INSERT INTO settlement_answer_file
SELECT DISTINCT ON (partner, sha256) partner, sha256, name, layout, bytes, who, recorded_on, false
  FROM settlement_answer ORDER BY partner, sha256, stream_id, seq;
ALTER TABLE settlement_answer_file
  ADD CONSTRAINT settlement_answer_file_kept CHECK (content IS NOT NULL) NOT VALID,
  ADD CONSTRAINT settlement_answer_file_whole
    CHECK (is_sealed OR (encode(sha256(content), 'hex') = sha256
                         AND octet_length(content) = bytes));

ALTER TABLE settlement_answer_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE settlement_answer_file FORCE ROW LEVEL SECURITY;
CREATE POLICY house ON settlement_answer_file TO milepost_app, milepost_approver,
  milepost_operator, milepost_auditor, CURRENT_USER USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON settlement_answer_file TO milepost_app, milepost_operator;
GRANT SELECT ON settlement_answer_file TO milepost_approver, milepost_auditor;
