"""The simulator makes what real schools have, and the driver drives the real parts in order."""
