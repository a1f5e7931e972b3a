"""What schools already run, read as facts: each source is a function from bytes to facts."""
