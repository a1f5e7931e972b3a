"""Integration models from their TOML files, everything checked before anybody sees it."""

import difflib
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

import msgspec

from models.features.set1 import EVIDENCE, FEATURES
from shared import settings
from shared.errors import SettingsError, UsageError

HERE: Final = Path(__file__).parent

Grain = Literal["lesson", "term"]

_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RATES_TOLERANCE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a scale; `text` describes it on the dimension it belongs to."""

    id: str
    name: str
    text: str


class Indicator(msgspec.Struct, frozen=True):
    """A feature's weight before any fit: log-odds of a higher stage for one standard deviation."""

    feature: str
    weight: float
    source: str
    why: str


class Criticism(msgspec.Struct, frozen=True):
    """What has been said against the model, and by whom."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One scale of a model: ordered stages, lowest first, and how common each is where nothing is known.

    needs: features without which a window is thin on this dimension.
    """

    id: str
    name: str
    text: str
    stages: tuple[Stage, ...]
    base_rates: tuple[float, ...]
    needs: tuple[str, ...]
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class IntegrationModel:
    """A published scale of stages. `unseen`: what no signal can tell; `warnings`: its owner's own."""

    id: str
    name: str
    version: str
    owner: str
    source: str
    link: str
    grain: Grain
    text: str
    unseen: tuple[str, ...]
    warnings: tuple[str, ...]
    criticism: tuple[Criticism, ...]
    dimensions: tuple[Dimension, ...]


class _StageRow(msgspec.Struct):
    id: str
    name: str
    text: str


class _DimensionRow(msgspec.Struct):
    id: str
    name: str
    text: str
    descriptions: dict[str, str]
    indicators: tuple[Indicator, ...]
    needs: tuple[str, ...] = ()
    stages: tuple[_StageRow, ...] = ()
    base_rates: tuple[float, ...] = ()


class _File(msgspec.Struct):
    id: str
    name: str
    version: str
    owner: str
    source: str
    link: str
    grain: Grain
    text: str
    dimensions: tuple[_DimensionRow, ...]
    stages: tuple[_StageRow, ...] = ()
    base_rates: tuple[float, ...] = ()
    unseen: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    criticism: tuple[Criticism, ...] = ()


def model_names(folder: Path = HERE) -> tuple[str, ...]:
    """Ids of the models in `folder`, by default those shipped."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml")))


def load_model(name: str, folder: Path = HERE) -> IntegrationModel:
    """A model by its id, or by the path of a TOML file of one's own.

    Raises UsageError for an id nobody knows, SettingsError with one line for a file that is wrong.
    """
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise UsageError(f"there is no file {name}: give a model's id or the path of its TOML file")
        return read_model(path)
    names = model_names(folder)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known models: {', '.join(names)}"
        raise UsageError(f"unknown model `{name[:40]}`; {hint}")
    return _shipped(folder / f"{name}.toml")


@lru_cache(maxsize=32)
def _shipped(path: Path) -> IntegrationModel:
    model = read_model(path)
    if model.id != path.stem:
        raise SettingsError(f"{path}: id is `{model.id}`; name the file {model.id}.toml")
    return model


def read_model(path: Path) -> IntegrationModel:
    """The model in one file. A dimension without stages or base rates of its own takes the model's.

    Raises SettingsError: file, place, and what to do.
    """
    file = settings.load(path, _File)
    wrong = _findings(file)
    if wrong:
        raise SettingsError(f"{path}: {wrong[0]}")
    return IntegrationModel(
        id=file.id,
        name=file.name,
        version=file.version,
        owner=file.owner,
        source=file.source,
        link=file.link,
        grain=file.grain,
        text=file.text,
        unseen=file.unseen,
        warnings=file.warnings,
        criticism=file.criticism,
        dimensions=tuple(_dimension(row, file) for row in file.dimensions),
    )


def _dimension(row: _DimensionRow, file: _File) -> Dimension:
    return Dimension(
        id=row.id,
        name=row.name,
        text=row.text,
        stages=tuple(Stage(s.id, s.name, row.descriptions[s.id]) for s in row.stages or file.stages),
        base_rates=row.base_rates or file.base_rates,
        needs=row.needs,
        indicators=row.indicators,
    )


def _findings(file: _File) -> list[str]:
    found = [f"id `{file.id}`: use lower snake case"] if not _ID.fullmatch(file.id) else []
    if not file.dimensions:
        found.append("no dimensions: a model has at least one")
    found += [
        f"dimension `{name}` stands twice"
        for name, n in Counter(d.id for d in file.dimensions).items()
        if n > 1
    ]
    for row in file.dimensions:
        where = f"dimension `{row.id}`"
        stages, rates = row.stages or file.stages, row.base_rates or file.base_rates
        if not _ID.fullmatch(row.id):
            found.append(f"{where}: use lower snake case")
        found += [f"{where}: {text}" for text in _stage_findings(row, stages, rates)]
        found += [f"{where}: {text}" for text in _feature_findings(row)]
    return found


def _stage_findings(row: _DimensionRow, stages: tuple[_StageRow, ...], rates: tuple[float, ...]) -> list[str]:
    ids = [stage.id for stage in stages]
    found = []
    if len(ids) < 2 or len(set(ids)) < len(ids):
        found.append("give at least two stages with different ids")
    found += [f"stage `{name}`: use lower snake case" for name in ids if not _ID.fullmatch(name)]
    if set(row.descriptions) != set(ids):
        odd = sorted(set(row.descriptions) ^ set(ids))
        found.append(f"describe each stage exactly once; look at `{odd[0]}`")
    if len(rates) != len(ids):
        found.append(f"{len(rates)} base rates for {len(ids)} stages")
    elif not all(0 < rate < 1 for rate in rates) or abs(math.fsum(rates) - 1) > _RATES_TOLERANCE:
        found.append("base rates must lie between 0 and 1 and sum to 1")
    return found


def _feature_findings(row: _DimensionRow) -> list[str]:
    found = []
    if not row.indicators:
        found.append("no indicators: name at least one feature with its weight")
    used = Counter(indicator.feature for indicator in row.indicators)
    found += [f"feature `{name}` has two weights" for name, n in used.items() if n > 1]
    for name in (*used, *row.needs):
        if name not in FEATURES:
            near = difflib.get_close_matches(name, FEATURES, n=1)
            hint = f"did you mean `{near[0]}`?" if near else "see the features of set 1"
            found.append(f"unknown feature `{name}`; {hint}")
    if FEATURES[EVIDENCE] in used:
        found.append("`evidence` speaks of reliability only and may carry no weight")
    found += [
        f"weight of `{i.feature}` must be a finite number other than 0"
        for i in row.indicators
        if not math.isfinite(i.weight) or i.weight == 0
    ]
    return found
