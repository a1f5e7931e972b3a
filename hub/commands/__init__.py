"""The commands of `commonground hub`, one a file."""
