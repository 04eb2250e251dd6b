"""milepost: from a bank's card transactions to settled cashback and airline miles, exactly once.

The map of the house. Data flows one way, and a room imports only what stands below it here:

    cli          the command `milepost`: one file per group of commands
    local        a whole milepost on one machine: stack, generator, demo, bench
    settlement   seals what is due into batches; writes, delivers and reconciles partners' files
    accrual      owns the truth: events, purchases, contracts, decisions, the ledger
    ingest       turns each bank's own format into one canonical transaction, or a rejection
    runtime      the only shared I/O: Kafka, PostgreSQL, settings, logs, metrics
    kernel       the words, pure: money, units, rates, identifiers, transactions, errors

`accrual` and `ingest` stand side by side and do not know each other. Each service's `bootstrap` is
the one page that wires its adapters. Beside the house: `schemas/` (every format that others see),
`deploy/` (how it is run), `tests/`.
"""
