"""The rules of an integration model's file: every mistake in it, each with its line."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from models.features.set1 import EVIDENCE, FEATURES
from models.integration import shape
from models.integration.locate import Place
from models.integration.shape import Fault, Key
from models.integration.toml_file import Finding, TomlFile

MOST_DIMENSIONS: Final = 12
MOST_STAGES: Final = 12
HEAVIEST: Final = 3.0
MOST_FINDINGS: Final = 1000  # of one file; whoever has more has another kind of file

_RATES_TOLERANCE: Final = 1e-9

_SENTENCE: Final = shape.text()
_NAME: Final = shape.text(80)
_STAGES: Final = shape.many(
    shape.record({"id": Key(shape.identifier), "name": Key(_NAME), "text": Key(_SENTENCE)}),
    MOST_STAGES,
    "stages",
)
_RATES: Final = shape.many(shape.number(0, 1), MOST_STAGES, "base rates")
_SHOWN_AS: Final = shape.choice("stages", "band")
_INDICATOR: Final = shape.record(
    {
        "feature": Key(shape.text(40)),
        "weight": Key(shape.number(-HEAVIEST, HEAVIEST)),
        "source": Key(shape.text(300)),
        "why": Key(_SENTENCE),
    }
)
_DIMENSION: Final = shape.record(
    {
        "id": Key(shape.identifier),
        "name": Key(_NAME),
        "text": Key(_SENTENCE),
        "descriptions": Key(shape.texts_by_id()),
        "indicators": Key(shape.many(_INDICATOR, len(FEATURES), "indicators")),
        "needs": Key(shape.many(shape.text(40), len(FEATURES), "features"), required=False),
        "stages": Key(_STAGES, required=False),
        "base_rates": Key(_RATES, required=False),
        "shown_as": Key(_SHOWN_AS, required=False),
        "why_band": Key(_SENTENCE, required=False),
    }
)
_CRITICISM: Final = shape.record({"text": Key(_SENTENCE), "source": Key(shape.text(300))})
_MODEL: Final = shape.record(
    {
        "id": Key(shape.identifier),
        "name": Key(_NAME),
        "version": Key(shape.text(40)),
        "owner": Key(shape.text(300)),
        "source": Key(_SENTENCE),
        "link": Key(shape.link),
        "grain": Key(shape.choice("lesson", "week", "term")),
        "text": Key(_SENTENCE),
        "dimensions": Key(shape.many(_DIMENSION, MOST_DIMENSIONS, "dimensions")),
        "stages": Key(_STAGES, required=False),
        "base_rates": Key(_RATES, required=False),
        "shown_as": Key(_SHOWN_AS, required=False),
        "why_band": Key(_SENTENCE, required=False),
        "unseen": Key(shape.many(_SENTENCE, 40, "sentences"), required=False),
        "warnings": Key(shape.many(_SENTENCE, 40, "sentences"), required=False),
        "criticism": Key(shape.many(_CRITICISM, 40, "criticisms"), required=False),
    }
)


def findings_of(file: TomlFile) -> list[Finding]:
    """Every mistake in a model's file, by line; none means that it can be built."""
    faults = islice(_faults(file.table), MOST_FINDINGS)
    return sorted({file.finding(place, text) for place, text in faults})


def _faults(model: dict[str, Any]) -> Iterator[Fault]:
    yield from _MODEL(model, ())
    dimensions = _rows(model, "dimensions")
    if model.get("dimensions") == []:
        yield Fault(("dimensions",), "no dimensions: a model has at least one")
    yield from _twice(dimensions, ("dimensions",), "id", "dimension `{}` stands twice")
    if model.get("shown_as") != "band" and "why_band" in model:
        yield Fault(("why_band",), '`why_band` without `shown_as = "band"` here: say it of the dimension')
    for i, dimension in dimensions[:MOST_DIMENSIONS]:
        place = ("dimensions", i)
        yield from _band_faults(model, dimension, place)
        yield from _stage_faults(model, dimension, place)
        yield from _rate_faults(model, dimension, place)
        yield from _feature_faults(dimension, place)


def _band_faults(model: dict[str, Any], dimension: dict[str, Any], place: Place) -> Iterator[Fault]:
    shown_as = dimension.get("shown_as", model.get("shown_as", "stages"))
    if shown_as == "band" and "why_band" not in dimension and "why_band" not in model:
        owner = place if "shown_as" in dimension else ()
        yield Fault((*owner, "shown_as"), "shown as a band without `why_band`: say why no stage can be named")
    if shown_as == "stages" and "why_band" in dimension:
        yield Fault((*place, "why_band"), "`why_band`, but this dimension is shown as stages")


def _stage_faults(model: dict[str, Any], dimension: dict[str, Any], place: Place) -> Iterator[Fault]:
    own = dimension.get("stages")
    table, where = (dimension, (*place, "stages")) if own else (model, ("stages",))
    stages = _rows(table, "stages")
    ids = [row["id"] for _, row in stages if isinstance(row.get("id"), str)]
    if len(set(ids)) < 2 and len(stages) == len(ids):
        yield Fault(where if stages else place, "give at least two stages with different ids")
    yield from _twice(stages, where, "id", "stage `{}` stands twice: give stages different ids")
    described = dimension.get("descriptions")
    if not isinstance(described, dict) or not ids:
        return
    where = (*place, "descriptions")
    for name in [name for name in described if name not in ids]:
        hint = shape.nearest(name, ids)
        yield Fault((*where, name), f"{shape.short(name)} is no stage here: describe each stage once; {hint}")
    for name in dict.fromkeys(ids):
        if name not in described:
            yield Fault(where, f"stage {shape.short(name)} is not described: describe each stage once")


def _rate_faults(model: dict[str, Any], dimension: dict[str, Any], place: Place) -> Iterator[Fault]:
    table, where = (dimension, place) if dimension.get("base_rates") else (model, ())
    stages = dimension.get("stages") or model.get("stages")
    rates = table.get("base_rates")
    if not rates:
        yield Fault(place, "no base rates: say how common each stage is where nothing is known")
    elif not isinstance(rates, list) or not isinstance(stages, list):
        return
    elif len(rates) != len(stages):
        yield Fault((*where, "base_rates"), f"{len(rates)} base rates for {len(stages)} stages")
    elif not any(_RATES(rates, ())) and (
        not all(0 < rate < 1 for rate in rates) or abs(math.fsum(rates) - 1) > _RATES_TOLERANCE
    ):
        total = f"{math.fsum(rates):.6g}"
        text = f"base rates must lie between 0 and 1 and sum to 1; these sum to {total}"
        yield Fault((*where, "base_rates"), text)


def _feature_faults(dimension: dict[str, Any], place: Place) -> Iterator[Fault]:
    indicators = _rows(dimension, "indicators")
    if dimension.get("indicators") == []:
        yield Fault((*place, "indicators"), "no indicators: name at least one feature with its weight")
    yield from _twice(indicators, (*place, "indicators"), "feature", "feature `{}` has two weights")
    named: list[tuple[Place, object]] = [
        ((*place, "indicators", i, "feature"), row.get("feature")) for i, row in indicators
    ]
    needs = dimension.get("needs")
    named += [((*place, "needs", i), name) for i, name in enumerate(needs if isinstance(needs, list) else [])]
    for where, name in named:
        if isinstance(name, str) and name not in FEATURES:
            hint = shape.nearest(name, FEATURES, "see the features of set 1")
            yield Fault(where, f"unknown feature {shape.short(name)}; {hint}")
    for i, row in indicators:
        where = (*place, "indicators", i)
        if row.get("feature") == FEATURES[EVIDENCE]:
            yield Fault(where, "`evidence` speaks of reliability only and may carry no weight")
        if row.get("weight") == 0 and not isinstance(row["weight"], bool):
            yield Fault((*where, "weight"), "a weight of 0 says nothing: leave the indicator out")


def _rows(table: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """The tables in a list, as far as they are tables, with their positions."""
    rows = table.get(key)
    return [(i, row) for i, row in enumerate(rows if isinstance(rows, list) else []) if isinstance(row, dict)]


def _twice(
    rows: Iterable[tuple[int, dict[str, Any]]], place: Place, key: str, saying: str
) -> Iterator[Fault]:
    seen: set[str] = set()
    for i, row in rows:
        name = row.get(key)
        if isinstance(name, str):
            if name in seen:
                yield Fault((*place, i, key), saying.format(name[:40]))
            seen.add(name)
