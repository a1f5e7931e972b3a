"""Lessons that are over: their windows, features and placements, and the weeks that they make."""
