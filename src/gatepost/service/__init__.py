"""What the operating system is told and asked: readiness, the watchdog, whose rights we have."""
