"""The one file that holds every setting: its schema, reading it, checking it, editing it."""
