"""What a batch costs, and its journal. Pure; invoices, prepaid blocks and guarantees join here."""
