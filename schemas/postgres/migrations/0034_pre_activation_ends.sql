-- An activation may be withdrawn: from that day on it does not count, and one that is withdrawn on
-- its own day never did. Like all facts it is a further row; the latest revision of a key holds.
ALTER TABLE activation
  ADD COLUMN withdrawn_on date,
  ADD CONSTRAINT activation_in_order CHECK (withdrawn_on >= activated_on),
  DROP CONSTRAINT activation_pkey,
  ADD PRIMARY KEY (account_id, code, activated_on, revision);
