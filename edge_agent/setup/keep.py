"""Which files of an agent's folder a backup holds, and which the school has to bring again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings

STORE: Final = "agent.db"
_WHOLE: Final = ("agent.toml", "hub.toml", "today.toml", "catalogue.toml", "district-catalogue.json")


def keys_and_settings(paths: AgentFolder, settings: AgentSettings) -> dict[str, Path]:
    """Settings, secrets without the keys of days, models and fits: path within the folder to the file."""
    found = [paths.root / name for name in _WHOLE]
    found += [file for file in _files(paths.secrets) if paths.day_keys not in file.parents]
    found += _files(paths.models)
    found += [paths.resolve(fit) for fit in settings.scoring.fits]
    found += [paths.resolve(source.mapping) for source in settings.sources if source.mapping]
    found += [paths.resolve(name) for name in _beside(settings)]
    return _within(paths, found)


def _beside(settings: AgentSettings) -> list[str]:
    """Files for which the settings name a place of their own."""
    named = [source.password_file for source in settings.sources]
    named += [settings.notice.password_file, settings.notice.ca_file]
    return [name for name in named if name]


def school_files(paths: AgentFolder, settings: AgentSettings) -> list[str]:
    """What the settings name of the school's own files: roster, inventory, bells and the like."""
    own = settings.identity
    named = [own.inventory, own.roster, own.bells, own.timetable, own.calendar, own.opt_outs]
    named += [place.access_points for place in settings.places]
    return [path for path in named if path]


def people(paths: AgentFolder, settings: AgentSettings) -> dict[str, Path]:
    """Those of them that lie in the folder, for a backup that was asked to hold them."""
    files: list[Path] = []
    for name in school_files(paths, settings):
        path = paths.resolve(name)
        files += _files(path) if path.is_dir() else [path]
    return _within(paths, files)


def elsewhere(paths: AgentFolder, settings: AgentSettings, kept: dict[str, Path]) -> tuple[str, ...]:
    """Files that the settings name and the backup does not hold, as the settings name them."""
    named = [*school_files(paths, settings), *settings.scoring.fits, *_beside(settings)]
    named += [source.mapping for source in settings.sources if source.mapping]
    return tuple(dict.fromkeys(name for name in named if not _holds(paths, kept, name)))


def _holds(paths: AgentFolder, kept: dict[str, Path], name: str) -> bool:
    path = paths.resolve(name)
    return any(path == file or path in file.parents for file in kept.values())


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file() and not file.name.startswith("."))


def _within(paths: AgentFolder, files: list[Path]) -> dict[str, Path]:
    """By their path within the folder; what lies outside, or is not there, is left out."""
    found = {}
    for file in files:
        if file.is_relative_to(paths.root) and ".." not in file.parts and file.is_file():
            found[file.relative_to(paths.root).as_posix()] = file
    return found
