"""What a purchase earns: accrual.md as code. Pure functions over integers and fractions."""
