"""The headline figures on held-out ratings, each with its doubt and what one reaches without any feature."""

from collections.abc import Sequence
from typing import Final

from models.card.doubt import Doubted
from models.card.summary import Part
from models.card.words import UNKNOWN, figure, percent
from shared.pages.figure import Kind, Table
from shared.pages.formats import number

_COLUMNS: Final[tuple[tuple[str, Kind], ...]] = (
    ("dimension", "text"),
    ("ratings", "count"),
    ("agreement (QWK)", "text"),
    ("exactly the rating", "text"),
    ("commonest stage always", "text"),
    ("within one stage", "text"),
    ("sets hold the rating", "text"),
    ("stages in a set", "text"),
    ("calibration error (ECE)", "text"),
    ("distance (RPS)", "text"),
    ("distance of base rates", "text"),
)


def held_table(parts: Sequence[Part]) -> Table | None:
    """A row for each calibrated dimension; None where there is none."""
    rows = tuple(
        (
            part.name,
            own.ratings,
            _doubted(own.kappa, as_share=False),
            _doubted(own.accuracy),
            percent(own.without.accuracy),
            _doubted(own.within_one),
            _doubted(own.coverage),
            f"{number(own.size)} of {len(part.stages)}",
            figure(own.ece),
            figure(own.rps),
            figure(own.without.rps),
        )
        for part in parts
        if (own := part.held)
    )
    return Table(columns=_COLUMNS, rows=rows) if rows else None


def _doubted(one: Doubted | None, *, as_share: bool = True) -> str:
    if one is None:
        return UNKNOWN
    value, low, high = (percent(end) if as_share else figure(end) for end in (one.value, one.low, one.high))
    return f"{value} ({low} to {high})"
