"""The app catalogue in memory: apps by index, what each affords, and the names that are not use."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.catalogue.check import findings
from models.catalogue.files import HERE, AppRow, CatalogueFiles, read_files
from shared.errors import SettingsError
from shared.words import CHANNEL_INDEX, CHANNELS

_ALL_OTHER: Final = MappingProxyType({"other": 1.0})


@dataclass(frozen=True, slots=True)
class App:
    """One entry: `names` are products behind the same hosts; `channels` are positive and sum to 1."""

    id: str
    name: str
    names: tuple[str, ...]
    domains: tuple[str, ...]
    bundle_ids: tuple[str, ...]
    lp_ids: tuple[str, ...]
    function: str
    channels: Mapping[str, float]
    off_task: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Apps in index order (an app's index is its position from 1; 0 is unlisted) and background names.

    background: name -> category; by_id, by_lp_id, by_bundle_id: key -> index. version: 12 hex digits that
    change with whatever decides a match, an index or a weight, and with nothing else.
    """

    apps: tuple[App, ...]
    background: Mapping[str, str]
    version: str
    by_id: Mapping[str, int]
    by_lp_id: Mapping[str, int]
    by_bundle_id: Mapping[str, int]

    def index(self, app_id: str) -> int:
        """The index of an app, from 1. Raises KeyError if there is none of that id."""
        return self.by_id[app_id]

    def channel_weights(self) -> NDArray[np.float64]:
        """What a contact affords: [apps + 1, 8]; rows of unlisted (0) and off-task apps are all `other`."""
        weights = np.zeros((len(self.apps) + 1, len(CHANNELS)))
        weights[0, CHANNEL_INDEX["other"]] = 1.0
        for row, app in enumerate(self.apps, start=1):
            for channel, weight in app.channels.items():
                weights[row, CHANNEL_INDEX[channel]] = weight
        return weights

    def off_task(self) -> NDArray[np.bool_]:
        """[apps + 1] by index; True for unlisted (row 0), which feature 23 counts with off-task apps."""
        return np.array([True, *(app.off_task for app in self.apps)])

    def off_task_apps(self) -> frozenset[int]:
        """Indexes of the apps that are off task, without unlisted."""
        return frozenset(index for index, app in enumerate(self.apps, start=1) if app.off_task)


@lru_cache(maxsize=4)
def load_catalogue(folder: Path = HERE) -> Catalogue:
    """The catalogue of `folder`, cached; the shipped one by default.

    Raises SettingsError if anything is wrong with it: what was loaded is clean.
    """
    files = read_files(folder)
    wrong = findings(files)
    if wrong:
        raise SettingsError(
            f"{folder}: {wrong[0]}" + (f" (and {len(wrong) - 1} more findings)" if wrong[1:] else "")
        )
    apps = tuple(_app(row, files) for row in files.apps)
    background = {name: category for category, names in files.background.items() for name in names}
    return Catalogue(
        apps=apps,
        background=MappingProxyType(background),
        version=version_of(apps, background),
        by_id=_by(apps, lambda app: (app.id,)),
        by_lp_id=_by(apps, lambda app: app.lp_ids),
        by_bundle_id=_by(apps, lambda app: app.bundle_ids),
    )


@lru_cache(maxsize=1)
def load_functions() -> Mapping[str, dict[str, float]]:
    """The shipped rows of functions.toml: Primary Essential Function -> channel -> weight."""
    return MappingProxyType(dict(read_files().functions))


def catalogue_as_json(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Rows in index order: `{id, name, domains, bundle_ids, channels, off_task}`, channels of weight > 0."""
    return [
        {
            "id": app.id,
            "name": app.name,
            "domains": list(app.domains),
            "bundle_ids": list(app.bundle_ids),
            "channels": dict(app.channels),
            "off_task": app.off_task,
        }
        for app in catalogue.apps
    ]


def _app(row: AppRow, files: CatalogueFiles) -> App:
    if row.off_task:
        channels: Mapping[str, float] = _ALL_OTHER
    else:
        weights = row.channels if row.channels is not None else files.functions[row.function]
        channels = MappingProxyType(
            {channel: weights[channel] for channel in CHANNELS if weights.get(channel)}
        )
    return App(
        id=row.id,
        name=row.name,
        names=row.names,
        domains=row.domains,
        bundle_ids=row.bundle_ids,
        lp_ids=row.lp_ids,
        function=row.function,
        channels=channels,
        off_task=row.off_task,
    )


def _by(apps: tuple[App, ...], names: Callable[[App], Iterable[str]]) -> Mapping[str, int]:
    return MappingProxyType({name: i for i, app in enumerate(apps, start=1) for name in names(app)})


def version_of(apps: tuple[App, ...], background: Mapping[str, str]) -> str:
    """12 hex digits; see Catalogue."""
    content = (
        [(app.id, sorted(app.domains), sorted(app.bundle_ids), sorted(app.lp_ids)) for app in apps],
        [(sorted(app.channels.items()), app.off_task) for app in apps],
        sorted(background.items()),
    )
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()[:12]
