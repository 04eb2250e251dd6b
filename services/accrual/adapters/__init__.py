"""The ledger's tables in PostgreSQL, set-based: one statement a table and batch."""
