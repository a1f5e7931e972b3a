"""From coaches' walkthroughs to a fit: weights, cutpoints, severities, and sets that keep their promise."""
