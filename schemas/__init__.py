"""Data only: Avro schemas, topic pages, contract schema and examples, file layouts, migrations."""
