"""How files reach a partner: where each one receives them, and in which envelope."""
