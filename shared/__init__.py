"""The language both sides speak: signals, records, the link, privacy rules, storage and settings helpers."""
