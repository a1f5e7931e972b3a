"""Past logs through the same pipeline."""
