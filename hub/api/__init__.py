"""The hub's read-only JSON and CSV interface under /api/v1: what the pages show, for programs."""
