"""Programs that a row starts as processes of their own: the two ends of a link, a fleet of schools, a page."""
