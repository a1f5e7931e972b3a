"""Past logs through the whole pipeline."""
