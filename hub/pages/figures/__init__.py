"""Figures of the pages: views turned into a sentence, a drawing in two sizes, limits and a table."""
