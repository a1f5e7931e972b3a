"""What iPads do by themselves while nobody uses them, which is not use."""
