"""The crosswalk: which stages of different models resemble one another, who says so, and how surely."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from models.integration import shape
from models.integration.load import IntegrationModel, load_model, model_names
from models.integration.locate import Place
from models.integration.shape import Fault, Key
from models.integration.toml_file import Finding, TomlFile, read_toml
from shared.errors import CommonGroundError, SettingsError, UsageError

CROSSWALK: Final = Path(__file__).parent / "crosswalk.toml"

Basis = Literal["contains", "derives", "opinion"]
Confidence = Literal["high", "middle", "low"]


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """A stage: of which model, on which dimension."""

    model: str
    dimension: str
    stage: str

    def __str__(self) -> str:
        return f"{self.model}.{self.dimension}.{self.stage}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stages of different models that somebody holds alike; it reads the same in both directions.

    basis: `contains` where one model takes the other's stages over, `derives` where its authors built it on
    the other, `opinion` everywhere else. An opinion never has high confidence.
    """

    here: Address
    there: Address
    basis: Basis
    confidence: Confidence
    why: str
    source: str

    def seen_from(self, model: str) -> "Pair":
        """The same pair with the stage of `model` as `here`."""
        return self if self.here.model == model else replace(self, here=self.there, there=self.here)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a whole model was made from; `to` is a model's id, or the name of one that has no file here."""

    model: str
    to: str
    basis: Literal["contains", "derives"]
    why: str
    source: str

    def in_words(self) -> str:
        """The lineage as one sentence with its source."""
        verb = "contains" if self.basis == "contains" else "derives from"
        return f"{self.model} {verb} {self.to}: {self.why} [{self.source}]"


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """Every pair and every lineage, with the caution that belongs to them."""

    caution: str
    lineage: tuple[Lineage, ...]
    pairs: tuple[Pair, ...]


def crosswalk_of(model: str, dimension: str | None = None, stage: str | None = None) -> tuple[Pair, ...]:
    """What the shipped crosswalk says of a model, or of one dimension or stage of it, in the file's order.

    Each pair's `here` is a stage of `model`. A model of one's own has none. Raises UsageError for a dimension
    or stage that a shipped model does not have.
    """
    if model in model_names():
        _refuse_unknown(load_model(model), dimension, stage)
    seen = (pair.seen_from(model) for pair in _shipped().pairs if model in _models_of(pair))
    return tuple(
        pair for pair in seen if dimension in (None, pair.here.dimension) and stage in (None, pair.here.stage)
    )


def lineage_of(model: str) -> tuple[Lineage, ...]:
    """What a model was made from, and what was made from it."""
    return tuple(line for line in _shipped().lineage if model in (line.model, line.to))


def load_crosswalk(path: Path = CROSSWALK) -> Crosswalk:
    """The crosswalk in a file. Raises SettingsError with its first mistake, `file:line: what is wrong`."""
    file = read_toml(path)
    wrong = [file] if isinstance(file, Finding) else _findings_of(file)
    if wrong or isinstance(file, Finding):
        raise SettingsError(str(wrong[0]))
    return Crosswalk(
        caution=file.table["caution"],
        lineage=tuple(Lineage(**row) for row in file.table.get("lineage", ())),
        pairs=tuple(_pair(row) for row in file.table.get("pairs", ())),
    )


@lru_cache(maxsize=1)
def _shipped() -> Crosswalk:
    return load_crosswalk()


def check_crosswalk(path: Path = CROSSWALK) -> list[Finding]:
    """Every mistake in a crosswalk, by line."""
    file = read_toml(path)
    return [file] if isinstance(file, Finding) else _findings_of(file)


_BASES: Final = ("contains", "derives")
_WORDS: Final = {"why": Key(shape.text()), "source": Key(shape.text(300))}
_LINEAGE: Final = {"model": Key(shape.identifier), "to": Key(shape.text(80))}
_PAIR: Final = {"stages": Key(shape.many(shape.text(130), 2, "stages"))}
_CONFIDENCE: Final = Key(shape.choice("high", "middle", "low"))
_CROSSWALK: Final = shape.record(
    {
        "caution": Key(shape.text()),
        "lineage": Key(
            shape.many(
                shape.record(_LINEAGE | {"basis": Key(shape.choice(*_BASES))} | _WORDS), 40, "lineages"
            ),
            required=False,
        ),
        "pairs": Key(
            shape.many(
                shape.record(
                    _PAIR
                    | {"basis": Key(shape.choice(*_BASES, "opinion")), "confidence": _CONFIDENCE}
                    | _WORDS
                ),
                500,
                "pairs",
            ),
            required=False,
        ),
    }
)


def _findings_of(file: TomlFile) -> list[Finding]:
    return sorted({file.finding(place, text) for place, text in _faults(file.table)})


def _faults(table: dict[str, Any]) -> Iterator[Fault]:
    faults = list(_CROSSWALK(table, ()))
    yield from faults
    if faults:  # what follows asks what pairs mean, and needs them whole
        return
    for i, row in enumerate(table.get("lineage", ())):
        if row["model"] not in model_names():
            hint = shape.nearest(row["model"], model_names())
            yield Fault(("lineage", i, "model"), f"unknown model {shape.short(row['model'])}; {hint}")
    seen: dict[frozenset[str], int] = {}
    for i, row in enumerate(table.get("pairs", ())):
        place: Place = ("pairs", i)
        yield from _pair_faults(row, place)
        key = frozenset(row["stages"])
        if key in seen:
            yield Fault(place, f"the same two stages as pair {seen[key] + 1}: keep one")
        seen.setdefault(key, i)


def _pair_faults(row: dict[str, Any], place: Place) -> Iterator[Fault]:
    if len(row["stages"]) != 2:
        yield Fault((*place, "stages"), "a pair names two stages, each as model.dimension.stage")
        return
    wrong = [(i, _unknown(name)) for i, name in enumerate(row["stages"])]
    yield from (Fault((*place, "stages", i), text) for i, text in wrong if text)
    if len({name.split(".")[0] for name in row["stages"]}) < 2:
        yield Fault((*place, "stages"), "both stages belong to one model: a crosswalk is between models")
    if row["basis"] == "opinion" and row["confidence"] == "high":
        yield Fault((*place, "confidence"), "an opinion has middle or low confidence")


def _unknown(name: str) -> str:
    """What is wrong with a stage's address, blank if nothing."""
    parts = name.split(".")
    if len(parts) != 3:
        return f"{shape.short(name)} is no stage: write model.dimension.stage"
    names = model_names()
    if parts[0] not in names:
        return f"unknown model {shape.short(parts[0])}; {shape.nearest(parts[0], names)}"
    try:
        _refuse_unknown(load_model(parts[0]), parts[1], parts[2])
    except CommonGroundError as error:  # also of a model's file that cannot be read
        return str(error)
    return ""


def _refuse_unknown(model: IntegrationModel, dimension: str | None, stage: str | None) -> None:
    dimensions = {one.id: one for one in model.dimensions}
    if dimension is not None and dimension not in dimensions:
        hint = shape.nearest(dimension, dimensions)
        raise UsageError(f"{model.id} has no dimension {shape.short(dimension)}; {hint}")
    scales = [dimensions[dimension]] if dimension else list(dimensions.values())
    stages = list(dict.fromkeys(one.id for scale in scales for one in scale.stages))
    if stage is not None and stage not in stages:
        raise UsageError(f"{model.id} has no stage {shape.short(stage)}; {shape.nearest(stage, stages)}")


def _pair(row: dict[str, Any]) -> Pair:
    here, there = (Address(*name.split(".")) for name in row["stages"])
    return Pair(here, there, row["basis"], row["confidence"], row["why"], row["source"])


def _models_of(pair: Pair) -> tuple[str, str]:
    return pair.here.model, pair.there.model
