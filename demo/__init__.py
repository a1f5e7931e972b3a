"""The whole main job on one machine: simulated fleets, real parts, known only by their commands."""
