"""The book: its closed chart of accounts and its transfers. Pure."""
