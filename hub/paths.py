"""Where things are in a hub's folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one hub folder."""

    folder: Path

    @property
    def settings(self) -> Path:
        """Settings for people to edit."""
        return self.folder / "hub.toml"

    @property
    def database(self) -> Path:
        """Everything that schools sent, and what was imported."""
        return self.folder / "hub.db"

    @property
    def models(self) -> Path:
        """The district's own integration models, one TOML file each; may be absent."""
        return self.folder / "models"

    @property
    def fits(self) -> Path:
        """The fits that its schools place with, as JSON files, to explain placements by; may be absent."""
        return self.folder / "fits"

    @property
    def keys(self) -> Path:
        """The hub's key pair of the link."""
        return self.folder / "keys"
