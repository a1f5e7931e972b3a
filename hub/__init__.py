"""In the district: intake -> store -> comparison -> dashboard and API."""
