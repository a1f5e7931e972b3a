"""From coaches' walkthroughs to a fit: weights, cutpoints, severities, and sets that keep their promise.

Of `models.grouping` it imports only what knows nothing of a fit (see there).
"""
