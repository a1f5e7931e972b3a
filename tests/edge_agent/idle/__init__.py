"""What iPads do by themselves is no use."""
