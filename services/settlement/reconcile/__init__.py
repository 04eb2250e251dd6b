"""What ties and what does not: three comparisons by transaction, and the control sheet. Pure."""
