"""How far placements can be believed: agreement, calibration, coverage, chance."""
