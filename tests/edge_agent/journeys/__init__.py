"""Journeys of a school's IT, from what the school has to what it wants to know, end to end."""
