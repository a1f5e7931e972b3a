"""What a school should look at before anything runs, and every night after."""
