"""From features to stages with their doubt: standardise, shrink by evidence, proportional odds."""
