"""The app catalogue: which app a name belongs to and what that app affords, as checked TOML."""
