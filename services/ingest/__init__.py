"""From each bank's own bytes to canonical events or sealed dead letters, at least once."""
