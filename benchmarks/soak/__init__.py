"""An hour of a real agent and hub under full load: what grows, what slows down, and what stays flat."""
