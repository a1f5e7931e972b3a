"""Integration models: published scales of stages, one TOML file each, and their strict loader."""
