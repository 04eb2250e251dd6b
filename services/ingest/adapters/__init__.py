"""What ingest needs of the world: Kafka topics, the schema directory, files of records."""
