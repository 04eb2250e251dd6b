"""No table that says whose partner a row is, or that hangs on a batch, is without a policy."""

from __future__ import annotations

import asyncpg
import pytest

HOUSE_ONLY = {"contract_version", "member_row", "settlement_partner_login"}
"""They name partners and are no business of theirs: the role has no right to them at all."""

REACHED = """
WITH RECURSIVE own AS (
  SELECT c.oid, c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
   WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT a.attisdropped
     AND c.relnamespace = 'public'::regnamespace
     AND a.attname IN ('partner', 'batch', 'of_partner')
), reached AS (
  SELECT oid FROM own WHERE relname <> ALL($1)
  UNION
  SELECT f.conrelid FROM pg_constraint AS f JOIN reached AS r ON f.confrelid = r.oid
   WHERE f.contype = 'f'
), whole AS (SELECT oid FROM reached UNION SELECT oid FROM own)
SELECT c.relname AS name,
       c.relrowsecurity AND c.relforcerowsecurity
         AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = c.oid) AS guarded,
       EXISTS (SELECT FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS verb
                WHERE has_table_privilege('milepost_partner', c.oid, verb)) AS granted
  FROM whole JOIN pg_class AS c USING (oid)
"""
VIEWS = """
SELECT relname FROM pg_class WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace
   AND has_table_privilege('milepost_partner', oid, 'SELECT')
   AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'], false)
"""


async def holes(connection: asyncpg.Connection[asyncpg.Record]) -> set[str]:
    """Tables that a partner could see foreign rows of, or will once it is granted them."""
    rows = await connection.fetch(REACHED, list(HOUSE_ONLY))
    assert len(rows) > 20
    open_ = {
        row["name"]
        for row in rows
        if (row["granted"] if row["name"] in HOUSE_ONLY else not row["guarded"])
    }
    return open_ | {row["relname"] for row in await connection.fetch(VIEWS)}


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("SELECT", set()),
        ("CREATE TABLE planted (partner text)", {"planted"}),
        ("CREATE TABLE planted (batch text)", {"planted"}),
        ("CREATE TABLE planted (id text REFERENCES discrepancy)", {"planted"}),
        ("CREATE TABLE planted (partner text); ALTER TABLE planted ENABLE ROW LEVEL SECURITY",
         {"planted"}),
        ("ALTER TABLE discrepancy NO FORCE ROW LEVEL SECURITY", {"discrepancy"}),
        ("DROP POLICY house ON settlement_account_change", {"settlement_account_change"}),
        ("GRANT SELECT ON member_row TO milepost_partner", {"member_row"}),
        ("CREATE VIEW planted AS SELECT * FROM settlement_line; "
         "GRANT SELECT ON planted TO milepost_partner", {"planted"}),
    ],
)  # fmt: skip
async def test_every_row_of_a_partner_is_guarded_and_a_hole_is_found(
    migrated_url: str, planted: str, found: set[str]
) -> None:
    connection = await asyncpg.connect(migrated_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(planted)
        assert await holes(connection) == found
    finally:
        await transaction.rollback()
        await connection.close()
