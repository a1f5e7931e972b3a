"""The card as one HTML page that needs nothing beside it: all inline, no script, no request."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from models.card import words
from models.card.believed import confusion_figure, coverage_figure, reliability_figure
from models.card.drift import FeatureDrift
from models.card.drift_figure import drift_figure, missing_words
from models.card.held_table import held_table
from models.card.learned import coaches_figure, learned_table, weights_figure
from models.card.summary import Part, headline, never_seen, parts_of, people_of, sd_of
from models.integration.model import IntegrationModel
from models.scoring.fit_file import ENOUGH_RATINGS, Fit
from shared.pages import environment
from shared.pages.figure import Table
from shared.pages.formats import listing

HERE: Final = Path(__file__).parent

_GRAINS: Final = {
    "lesson": "It speaks of a lesson, and one lesson is a snapshot.",
    "week": "It speaks of a week, never of one lesson.",
    "term": "It speaks of a term, never of one lesson.",
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The counts of a fit in words."""

    used: str
    briefed: str
    unknown: str
    people: tuple[int, int]


def card(
    fit: Fit, model: IntegrationModel, drift: Sequence[FeatureDrift] = (), *, people: bool = True
) -> str:
    """The page of a model's fit that was found sound.

    drift: of later lessons, if there are any; people: whether codes of coaches and schools stand on it.
    """
    parts = parts_of(fit, model)
    drawn = (confusion_figure(parts), reliability_figure(parts), coverage_figure(parts))
    pages = environment.Pages(HERE, {"how": "", "csv_address": csv_address})
    pages.environment.filters.update(signed=words.signed, decimals=words.figure, known=words.percent)
    template = pages.environment.get_template("card.html")
    return template.render(
        order="dmy",
        path="",
        style=_style(),
        fit=fit,
        model=model,
        parts=parts,
        headline=headline(fit, parts),
        numbers=_numbers(fit, parts),
        believed=[one for one in drawn if one],
        held=held_table(parts),
        coaches=coaches_figure(parts) if people else None,
        single=_single(parts),
        spreads=[(part.name, sd_of(part.fit.coach_sd)) for part in parts if part.coaches > 1],
        by_school=_by_school(parts) if people else None,
        people=people,
        weights=weights_figure(parts),
        learned=learned_table(parts),
        drift=drift_figure(drift) if drift else None,
        changed=missing_words(drift) if drift else "",
        never=[words.feature_words(i) for i in never_seen(fit)],
        bands=[part for part in parts if part.model.shown_as == "band"],
        grain=_GRAINS[model.grain],
        enough=ENOUGH_RATINGS,
    )


def csv_address(table: Table) -> str:
    """A table's CSV as an address that holds it whole."""
    return "data:text/csv;charset=utf-8," + quote(table.csv())


def _style() -> str:
    folders = (environment.HERE, HERE)
    names = ("common.css", "card.css")
    pairs = zip(folders, names, strict=True)
    return "\n".join((folder / "static" / name).read_text(encoding="utf-8") for folder, name in pairs)


def _numbers(fit: Fit, parts: Sequence[Part]) -> Numbers:
    def over(values: list[int]) -> str:
        return words.span(min(values), max(values))

    return Numbers(
        used=over([part.fit.ratings for part in parts]),
        briefed=over([part.fit.left_out.briefed for part in parts]),
        unknown=over([part.fit.left_out.unknown_window for part in parts]),
        people=people_of(fit),
    )


def _single(parts: Sequence[Part]) -> str:
    """The dimensions that one coach rated alone, in words; blank where there is none."""
    known = [part for part in parts if part.fit.calibrated]
    alone = [part.name for part in known if part.coaches == 1]
    return "any dimension" if len(alone) == len(known) > 1 else listing(alone)


def _by_school(parts: Sequence[Part]) -> Table | None:
    """How many ratings each school gave, in the order of codes; None where the fit names no school."""
    found: Counter[str] = Counter()
    for part in parts:
        for school in part.fit.schools:
            found[school.id] += school.ratings
    rows: tuple[tuple[Any, ...], ...] = tuple((code, found[code]) for code in sorted(found))
    named = "ratings" if len(parts) == 1 else "ratings, all dimensions"
    return Table(columns=(("school", "text"), (named, "count")), rows=rows) if rows else None
