"""The catalogue at the school: what is met and not listed, own entries, and which of them are in use."""
