"""The hub's database: its schema, what records do to it, and what was refused."""
