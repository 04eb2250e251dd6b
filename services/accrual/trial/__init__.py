"""What a draft would have paid on a history, beside what was paid. Nothing here writes."""
