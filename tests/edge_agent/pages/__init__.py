"""The agent's pages, as text and in a browser."""
