"""Programs that a row starts as processes of their own: both ends of a link, a fleet, a plain site."""
