"""What several tests share: builders, readers, and servers that start clean."""
