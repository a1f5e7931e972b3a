"""Who, where, when: rosters, inventories, leases, bells, calendars, and the laws of time."""
