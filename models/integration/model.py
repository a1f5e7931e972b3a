"""What an integration model is once its file was found sound: plain frozen values."""

from dataclasses import dataclass
from typing import Literal

Grain = Literal["lesson", "week", "term"]
ShownAs = Literal["stages", "band"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a scale; `text` describes it on the dimension it belongs to."""

    id: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A feature's weight before any fit: log-odds of a higher stage for one standard deviation."""

    feature: str
    weight: float
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class Criticism:
    """What has been said against the model, and by whom."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Dimension:
    """One scale of a model: ordered stages, lowest first, and how common each is where nothing is known.

    needs: features without which a window is thin on this dimension. shown_as: `band` where pages show one
    wide band and never one stage, with `why_band` saying why (blank for `stages`).
    """

    id: str
    name: str
    text: str
    shown_as: ShownAs
    why_band: str
    stages: tuple[Stage, ...]
    base_rates: tuple[float, ...]
    needs: tuple[str, ...]
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True, slots=True)
class IntegrationModel:
    """A published scale of stages, or a school's own.

    grain: the shortest span of time that a stage may be said of. unseen: what no signal can tell.
    warnings: its owner's own.
    """

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
