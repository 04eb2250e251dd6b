"""The truth: what each purchase earns under each signed contract, and the ledger of it."""
