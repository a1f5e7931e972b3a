"""The scoring core: app catalogue, integration models, features, scoring, simulator."""
