"""What lies where in an agent's folder."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class AgentFolder:
    """The folder that `agent init` makes; relative paths in `agent.toml` start here."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "agent.toml"

    @property
    def hub(self) -> Path:
        """Which hub this agent reports to; written by `agent join`."""
        return self.root / "hub.toml"

    @property
    def database(self) -> Path:
        return self.root / "agent.db"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def day_keys(self) -> Path:
        return self.secrets / "day-keys"

    @property
    def models(self) -> Path:
        """The school's own integration models, one TOML file each; may be absent."""
        return self.root / "models"

    def resolve(self, path: str) -> Path:
        """A path of the settings, from this folder if it is relative."""
        return self.root / path
