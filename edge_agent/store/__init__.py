"""The agent's one SQLite file: what was accepted, what it came to, what left."""
