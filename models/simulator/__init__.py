"""A simulator of lessons: made-up classes whose signals look like those of a real fleet."""
