"""The dialogs of old as views of the access table: what they show of it, and what they change in it."""
