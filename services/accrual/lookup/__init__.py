"""Looks things up for people: balances, statements, explanations, what waits for them."""
