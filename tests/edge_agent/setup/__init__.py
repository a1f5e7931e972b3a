"""Setting an agent up, keeping a copy of it, handing it over."""
