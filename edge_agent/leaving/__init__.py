"""What leaves the school: the rules, the records, the way, and the account of it."""
