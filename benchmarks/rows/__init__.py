"""One file a budget: what is measured, its peer, and the row of the table they make."""
