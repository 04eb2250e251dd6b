"""The shared I/O: Kafka, PostgreSQL, settings, logs and metrics. It knows no business word."""
