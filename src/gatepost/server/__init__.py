"""The doors in: listeners, connections, TLS, and the conversations that answer commands."""
