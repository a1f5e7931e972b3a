"""Data to measure with: signals, schools, logs, records, stores. Made from fixed seeds, shaped like the demo's."""
