"""Feature set 1: the fixed row of 24 numbers computed from one window's signals."""
