"""Lessons that are over: windows, features, placements, and what changes under way."""
