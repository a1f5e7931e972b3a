"""Data to measure with: signals, schools, logs, records, stores. From fixed seeds, like the demo's."""
