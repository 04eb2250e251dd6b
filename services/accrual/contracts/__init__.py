"""What partners sign: contract files read, checked across their keys, and compiled. Pure."""
