"""The parts that a live run and a replay share: who is where, the catalogue, the scorers, the parsers."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.catalogue.in_use import InUse, load_in_use
from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory
from edge_agent.identity.tables import Refused
from edge_agent.lessons.scoring import Scoring, load_scoring
from edge_agent.paths import AgentFolder
from edge_agent.placing.collector import Collector
from edge_agent.placing.daykeys import DayKeys
from edge_agent.placing.placer import DirectoryPlacer
from edge_agent.settings import AgentSettings
from edge_agent.sources.parsing import HERE, Parser
from models.catalogue.load import Catalogue
from models.catalogue.match import NameMatcher


@dataclass(frozen=True, slots=True)
class Parts:
    """What every pipeline of one school is built from."""

    settings: AgentSettings
    directory: Directory
    refused: Refused
    catalogue: Catalogue
    matcher: NameMatcher
    scoring: Scoring
    in_use: InUse

    @classmethod
    def load(cls, folder: AgentFolder, settings: AgentSettings, *, keep: bool = False) -> "Parts":
        """Read models, identity files and catalogue; raises SettingsError for a file that is no use.

        keep: as in `load_in_use`.
        """
        scoring = load_scoring(folder, settings)
        directory, refused = load_directory(folder, settings)
        in_use = load_in_use(folder, keep=keep)
        catalogue = in_use.catalogue
        return cls(settings, directory, refused, catalogue, NameMatcher(catalogue), scoring, in_use)

    def collector(self, kind: str, source: str, keys: DayKeys, codes: dict[str, str]) -> Collector:
        """A collector for one source."""
        return Collector(
            kind=kind,
            source=source,
            placer=DirectoryPlacer(self.directory, keys, codes),
            matcher=self.matcher,
            catalogue=self.catalogue.version,
            off_task=self.catalogue.off_task_apps(),
        )


def parser(
    kind: str, zone: ZoneInfo, year: int | None = None, mapping: str | None = None, folder: Path = HERE
) -> Parser:
    """The parser of a kind of log for one source, with its own sense of time; see Parser."""
    return Parser(kind, zone, year, mapping, folder)
