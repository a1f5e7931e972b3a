"""What a check finds, claim by claim."""
