"""What leaves the school, what does not, and the account of it."""
