"""The commands of `commonground models`, one a file."""
