"""What could be seen of a lesson."""
