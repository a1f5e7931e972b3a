"""The whole main job on one machine: simulated fleets, real parts. Knows agent and hub only by their commands."""
