"""The commands of `commonground agent`, one a file."""
