"""What the scoring core reaches in simulated universes whose truth is known: `make universes`."""
