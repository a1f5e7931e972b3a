"""What sets an agent up, keeps a copy of it and hands it over: profiles, services, backups, a page."""
