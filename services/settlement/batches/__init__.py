"""What a batch holds: due transfers, numbered lines, the transfers that seal them. Pure."""
