"""Seals what is due to a partner, writes its files, and waits for a second person's approval."""
