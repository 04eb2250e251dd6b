-- Purchases linked by keys that a feed declares exact.

-- Which fields of the event its feed declares exact, with commas; null: none. What waits is read
-- without the record, so it says the same.
ALTER TABLE card_event ADD COLUMN exact_keys text;
ALTER TABLE waiting_event ADD COLUMN exact_keys text;

-- The exact keys by which the purchase is found: hashes of account, issuer, field and value; null
-- where none of its events has one. A hit is a suspicion: the caller compares the text.
ALTER TABLE purchase ADD COLUMN exact_keys bigint[];
CREATE INDEX purchase_by_exact_key ON purchase USING gin (exact_keys)
  WHERE exact_keys IS NOT NULL;

-- Whoever may decide anew may move an event from one purchase to another.
GRANT UPDATE (exact_keys) ON purchase TO milepost_approver, milepost_operator;
