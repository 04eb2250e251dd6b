-- Closing a period. A transfer's accounting date is its effective date, or the first open day when
-- its period had been closed before it was recorded. Nothing is stored with the transfer: a closing
-- records how far every stream was, and what comes after that is later.

CREATE TABLE period_close (
  period       text CONSTRAINT period_close_once PRIMARY KEY
               CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
  previous     text CONSTRAINT period_close_left_once UNIQUE
               CONSTRAINT period_close_follows REFERENCES period_close (period),
  opens_on     date NOT NULL GENERATED ALWAYS AS (
                 (make_date(substr(period, 1, 4)::integer, substr(period, 6, 2)::integer, 1)
                  + interval '1 month')::date) STORED,
  who          text NOT NULL CHECK (btrim(who) <> ''),
  recorded_on  date NOT NULL,
  CONSTRAINT period_close_in_order CHECK (previous < period),
  CONSTRAINT period_close_is_over CHECK (recorded_on >=
    (make_date(substr(period, 1, 4)::integer, substr(period, 6, 2)::integer, 1)
     + interval '1 month')::date)
);
-- One closing is the first; every other follows the one before it.
CREATE UNIQUE INDEX period_close_first ON period_close ((previous IS NULL)) WHERE previous IS NULL;

-- How far each stream was. One that is not here had nothing.
CREATE TABLE period_close_position (
  period     text NOT NULL REFERENCES period_close,
  stream_id  smallint NOT NULL,
  seq        bigint NOT NULL,
  PRIMARY KEY (period, stream_id)
);

-- The trial balance as it was closed; members together.
CREATE TABLE period_close_balance (
  period   text NOT NULL REFERENCES period_close,
  unit     text NOT NULL,
  account  text NOT NULL,
  debit    bigint NOT NULL,
  credit   bigint NOT NULL,
  PRIMARY KEY (period, unit, account)
);

-- The two legs of each transfer whose accounting date is at or before a day. The first closing that
-- covers the day says how far: whatever was recorded later stands on a later day.
CREATE FUNCTION accounting_posting(through date)
  RETURNS TABLE (stream_id smallint, seq bigint, leg integer, side text, account text, unit text,
                 amount bigint, effective_on date)
  LANGUAGE sql STABLE PARALLEL SAFE AS $$
  WITH closed AS (
    SELECT period FROM period_close WHERE opens_on > through ORDER BY opens_on LIMIT 1
  ), ended AS (
    SELECT p.stream_id, p.seq FROM period_close_position AS p JOIN closed USING (period)
  )
  SELECT p.stream_id, p.seq, p.leg, p.side, p.account, p.unit, p.amount, p.effective_on
    FROM posting AS p
    LEFT JOIN ended AS e ON e.stream_id = p.stream_id
   WHERE p.effective_on <= through
     AND (NOT EXISTS (SELECT FROM closed) OR p.seq <= coalesce(e.seq, 0))
$$;

-- The accounting date of each transfer.
CREATE VIEW accounting_date AS
  SELECT t.stream_id, t.seq, t.leg, t.effective_on,
         greatest(t.effective_on, (
           SELECT max(c.opens_on)
             FROM period_close AS c
             LEFT JOIN period_close_position AS p
               ON (p.period, p.stream_id) = (c.period, t.stream_id)
            WHERE t.seq > coalesce(p.seq, 0))) AS accounted_on
    FROM transfer AS t;

GRANT SELECT, INSERT ON period_close, period_close_position, period_close_balance TO milepost_app;
GRANT SELECT ON accounting_date TO milepost_app;
