"""In the school: sources -> intake -> windows -> scorer -> outbox; local status page."""
