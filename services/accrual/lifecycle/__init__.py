"""What a purchase is: which events belong to it, and what of it stands. No rules, no rewards."""
