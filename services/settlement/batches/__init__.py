"""What a batch holds: from due transfers to numbered lines and the transfers that seal them. Pure."""
