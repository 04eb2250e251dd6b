"""A contract in sentences of a language: the whole of it, or what differs between two."""
