"""PostgreSQL and the folder of files."""
