"""Collectors on other machines of the school: how they enrol, what the agent tells them, how they work."""
