"""All SQL and all fsync."""
