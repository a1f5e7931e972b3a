"""What the sources could see of a lesson: who was heard, who went past them, the blind spot that is left."""
