"""The parts that a live run and a replay share: who is where, the catalogue, the scorers, the parsers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from edge_agent.collector import Collector
from edge_agent.daykeys import DayKeys
from edge_agent.identity.directory import Directory
from edge_agent.identity.load import load_directory
from edge_agent.identity.tables import Refused
from edge_agent.paths import AgentFolder
from edge_agent.placing import DirectoryPlacer
from edge_agent.scoring import Scoring, load_scoring
from edge_agent.settings import AgentSettings
from edge_agent.sources.facts import Reading
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.logtime import LogTime
from models.catalogue.load import Catalogue, load_catalogue
from models.catalogue.match import NameMatcher

Parse = Callable[[bytes, float], Reading]

PARSERS: Final = KINDS


@dataclass(frozen=True, slots=True)
class Parts:
    """What every pipeline of one school is built from."""

    settings: AgentSettings
    directory: Directory
    refused: Refused
    catalogue: Catalogue
    matcher: NameMatcher
    scoring: Scoring

    @classmethod
    def load(cls, folder: AgentFolder, settings: AgentSettings) -> "Parts":
        """Read models, identity files and catalogue; raises SettingsError for a file that is no use."""
        scoring = load_scoring(folder, settings)
        directory, refused = load_directory(folder, settings)
        catalogue = load_catalogue()
        return cls(settings, directory, refused, catalogue, NameMatcher(catalogue), scoring)

    def collector(self, kind: str, source: str, keys: DayKeys, codes: dict[str, str]) -> Collector:
        """A collector for one source."""
        return Collector(
            kind=kind,
            source=source,
            placer=DirectoryPlacer(self.directory, keys, codes),
            matcher=self.matcher,
            catalogue=self.catalogue.version,
        )


def parser(kind: str, zone: ZoneInfo, year: int | None = None) -> Parse:
    """The parser of a kind of log for one file, with its own sense of time."""
    times = LogTime(zone, year=year)
    read = PARSERS[kind].make()

    def parse(chunk: bytes, now: float) -> Reading:
        times.at(now)
        return read(chunk, times)

    return parse
