"""The model card: one page that says what a fit is, what it learned from, and how far to believe it."""
