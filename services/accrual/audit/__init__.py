"""Checks what must hold of the record and the ledger: rows in, faults out."""
