"""Checks what must hold of the record and the ledger. Pure: rows in, faults out."""
