-- Facts of accounts that rules ask for. Like all facts they are append-only, each row with the
-- revision from which it holds.

-- The dates of an account, each null where it is not known; the latest revision holds.
CREATE TABLE account_dates (
  revision    bigint NOT NULL,
  account_id  text NOT NULL,
  opened_on   date,
  closed_on   date,
  cycle_day   smallint CHECK (cycle_day BETWEEN 1 AND 31), -- the billing cycle closes on it
  PRIMARY KEY (account_id, revision),
  CONSTRAINT account_dates_in_order CHECK (closed_on >= opened_on)
);
CREATE INDEX account_dates_by_revision ON account_dates (revision);

-- Activations, opt-ins and places on target lists; the earliest day of a code counts.
CREATE TABLE activation (
  revision      bigint NOT NULL,
  account_id    text NOT NULL,
  code          text NOT NULL,
  activated_on  date NOT NULL,
  PRIMARY KEY (account_id, code, activated_on)
);
CREATE INDEX activation_by_revision ON activation (revision);

GRANT SELECT, INSERT ON account_dates, activation TO milepost_app;
