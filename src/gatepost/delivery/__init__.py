"""The door out: where a message goes, when, over which connection, and what became of it."""
