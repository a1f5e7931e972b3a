"""The agent's own pages: is it working, and what leaves this school."""
