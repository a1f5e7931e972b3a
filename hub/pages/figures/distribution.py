"""Matrices: the distribution of lessons, or of one lesson, by dimension of an integration model."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from hub.charts import MatrixRow, matrix, matrix_key, shortened
from hub.known import Known
from hub.pages import words
from hub.views import Distribution, LessonView, PlacementView
from shared.pages.figure import Cell, Figure, Kind, Table

HOW_TO_READ = (
    "Each row is one characteristic; depth says how likely a level is. A level describes a lesson, it does"
    " not grade it, and good teachers move between levels."
)
BANDED = (
    "Each row is one characteristic with the band it lies in. A level describes a lesson, it does not grade"
    " it, and good teachers move between levels."
)
LIKELY = "Likely: the shortest run of levels that holds two thirds."


def levels_link(model: str) -> tuple[str, str]:
    """Where the levels of a model are put in words."""
    return f"/how#model-{model}", "What the levels mean"


class Scaled(Protocol):
    """What stands on a model's stages."""

    @property
    def model(self) -> str:
        """The model's id."""

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages' names, lowest first."""

    @property
    def dimension(self) -> str:
        """The dimension inside the model."""

    @property
    def shown_as(self) -> str:
        """`stages`, or one wide `band`."""


Item = TypeVar("Item", bound=Scaled)


def by_scale(items: Sequence[Item]) -> dict[str, list[Item]]:
    """What can share one drawing, in the order given: of one model and the same stages, shown alike.

    Named by the model; a model's further scales are numbered from 2.
    """
    found: dict[tuple[str, tuple[str, ...], str], list[Item]] = {}
    for item in items:
        found.setdefault((item.model, item.stages, item.shown_as), []).append(item)
    named: dict[str, list[Item]] = {}
    for (model, _, _), own in found.items():
        number = sum(one.model == model for (one, *_) in named.values()) + 1
        named[model if number == 1 else f"{model}-{number}"] = own
    return named


def of_model(items: Sequence[Item], model: str) -> dict[str, list[Item]]:
    """The scales of one model."""
    return by_scale([item for item in items if item.model == model])


def banded(items: Sequence[Scaled]) -> bool:
    """Whether these, of one scale, are shown as bands."""
    return bool(items) and items[0].shown_as == "band"


def verb(items: Sequence[Scaled]) -> str:
    """What the sentence says before a run of levels."""
    return "Somewhere from" if banded(items) else "Likely"


def signs(rows: Sequence[MatrixRow], stages: Sequence[str]) -> Sequence[str]:
    """The levels' names for the key, where the drawing has room for short signs alone."""
    return stages if shortened([row.label for row in rows], stages) else ()


def band_limits(items: Sequence[Item], known: Known) -> list[str]:
    """How bands are read, and why they are no levels, in the models' own words."""
    found = (known.dimension(item.model, item.dimension) for item in items)
    why = dict.fromkeys(one.why_band for one in found if one and one.why_band)
    return [BANDED, words.BAND_WORDS, *why]


def distribution_figure(
    name: str,
    lead: str,
    items: Sequence[Distribution],
    sources: Sequence[str],
    known: Known,
    seen: float | None = None,
) -> Figure:
    """The lessons of a week, of a school or of a district; `items` are of one scale.

    `lead` opens the sentence, which goes on in small letters after a colon. `seen` is the share of
    the expected device-time that the sources could see, or None.
    """
    stages = items[0].stages
    rows = [_row(item, seen) for item in items]
    calibrated = all(row.calibrated for row in rows)
    runs = [(item.label, item.band or words.likely(item.shares)) for item in items]
    limits = band_limits(items, known) if banded(items) else [HOW_TO_READ, LIKELY]
    limits.append(words.standing_words(row.calibrated for row in rows))
    if any(not item.shares for item in items):
        limits.append(words.more_would_help(max(item.lessons for item in items)))
    left_out = max(item.other_versions for item in items)
    if left_out:
        limits.append(f"Left out: {left_out:,d} judged by another version of the model.")
    if sources:
        limits.append(words.limits_of(sources))
    key = matrix_key(
        name,
        calibrated=calibrated,
        outlined=False,
        spread=any(row.spread for row in rows),
        missing=any(not row.shares for row in rows),
        seen=seen is not None,
        banded=banded(items),
        signs=signs(rows, stages),
    )
    return Figure(
        name=name,
        says=_led(lead, words.placed_words(runs, stages, verb(items))),
        wide=matrix(f"{name}-wide", rows, stages, "wide"),
        narrow=matrix(f"{name}-narrow", rows, stages, "narrow"),
        limits=" ".join(limits),
        table=_band_table(items) if banded(items) else _table(items),
        key=key,
        origins=(*words.origins(sources), *words.standing(row.calibrated for row in rows)),
        more=levels_link(items[0].model),
    )


def _led(lead: str, said: str) -> str:
    return f"{lead} {said[:1].lower()}{said[1:]}" if lead.endswith(":") else f"{lead} {said}"


def _row(item: Distribution, seen: float | None) -> MatrixRow:
    spread = None
    if item.band is None and item.between_low is not None and item.between_high is not None:
        spread = tuple(zip(item.between_low, item.between_high, strict=True))
    return MatrixRow(
        label=item.label,
        shares=item.shares,
        calibrated=item.calibrated,
        seen=seen,
        spread=spread,
        band=item.band,
    )


def _band_table(items: Sequence[Distribution]) -> Table:
    columns: list[tuple[str, Kind]] = [("Characteristic", "text"), ("From", "text"), ("To", "text")]
    columns += [("Lessons", "count"), ("Placed", "count"), ("Not enough evidence", "count")]
    rows: list[tuple[Cell, ...]] = [
        (
            *(item.label, *band_ends(item.band, item.stages)),
            *(item.lessons, item.placed, item.thin, item.evidence_only),
        )
        for item in items
    ]
    return Table(columns=(*columns, ("Inferred only", "count")), rows=tuple(rows))


def band_ends(band: tuple[int, int] | None, stages: Sequence[str]) -> tuple[str, str]:
    """The names of a band's lowest and highest stage."""
    return (stages[band[0]], stages[band[1]]) if band else (words.NOT_ENOUGH, "")


def _table(items: Sequence[Distribution]) -> Table:
    stages = items[0].stages
    ranged = any(item.between_low is not None for item in items)
    columns: list[tuple[str, Kind]] = [("Characteristic", "text"), *((stage, "share") for stage in stages)]
    columns += [("Lessons", "count"), ("Placed", "count"), ("Not enough evidence", "count")]
    columns += [("Inferred only", "count")]
    if ranged:
        for stage in stages:
            columns += [
                (f"{stage}, smallest in a school", "share"),
                (f"{stage}, largest in a school", "share"),
            ]
    rows = []
    for item in items:
        row: list[Cell] = [item.label, *(item.shares or [None] * len(stages))]
        row += [item.lessons, item.placed, item.thin, item.evidence_only]
        if ranged:
            low = item.between_low or [None] * len(stages)
            high = item.between_high or [None] * len(stages)
            row += [value for pair in zip(low, high, strict=True) for value in pair]
        rows.append(tuple(row))
    return Table(columns=tuple(columns), rows=tuple(rows))


def lesson_rows(placements: Sequence[PlacementView], seen: float) -> list[MatrixRow]:
    """One lesson's placements as rows of a matrix; what is too thin to say shows as missing."""
    return [
        MatrixRow(
            label=item.label,
            shares=() if item.verdict == "thin" else item.probs,
            calibrated=item.calibrated,
            seen=seen,
            low=item.low if item.verdict == "placed" and item.band is None else None,
            high=item.high if item.verdict == "placed" and item.band is None else None,
            band=item.band,
        )
        for item in placements
    ]


def lesson_runs(placements: Sequence[PlacementView]) -> list[tuple[str, tuple[int, int] | None]]:
    """Each dimension's set of levels, or the run that is likely; None where evidence is too thin."""
    found = []
    for item in placements:
        run = item.band or words.likely(item.probs)
        if item.verdict == "thin":
            run = None
        elif (
            item.band is None and item.verdict == "placed" and item.low is not None and item.high is not None
        ):
            run = (item.low, item.high)
        found.append((item.label, run))
    return found


def lesson_figure(name: str, lesson: LessonView, placements: Sequence[PlacementView], known: Known) -> Figure:
    """The matrix of one lesson, large; `placements` are of one scale."""
    stages = placements[0].stages
    rows = lesson_rows(placements, lesson.visibility)
    calibrated = all(row.calibrated for row in rows)
    outlined = any(row.low is not None for row in rows)
    limits = band_limits(placements, known) if banded(placements) else [HOW_TO_READ]
    limits.append("One lesson cannot name one level: read it as a range, and look at several.")
    limits.append(words.standing_words(row.calibrated for row in rows))
    if outlined:
        limits.append(words.OUTLINED)
    if any(not row.shares for row in rows):
        limits.append(words.more_would_help(1))
    return Figure(
        name=name,
        says=words.placed_words(lesson_runs(placements), stages, verb(placements)),
        wide=matrix(f"{name}-wide", rows, stages, "wide"),
        narrow=matrix(f"{name}-narrow", rows, stages, "narrow"),
        limits=" ".join(limits),
        table=_lesson_table(placements, outlined=outlined),
        key=matrix_key(
            name,
            calibrated=calibrated,
            outlined=outlined,
            spread=False,
            missing=any(not row.shares for row in rows),
            seen=True,
            banded=banded(placements),
            signs=signs(rows, stages),
        ),
        origins=(*words.origins(lesson.sources), *words.standing(row.calibrated for row in rows)),
        more=levels_link(placements[0].model),
    )


def _lesson_table(placements: Sequence[PlacementView], *, outlined: bool) -> Table:
    stages = placements[0].stages
    if banded(placements):
        columns: list[tuple[str, Kind]] = [("Characteristic", "text"), ("From", "text"), ("To", "text")]
        ends = [None if item.verdict == "thin" else item.band for item in placements]
        rows: list[tuple[Cell, ...]] = [
            (item.label, *band_ends(end, stages), VERDICTS[item.verdict])
            for item, end in zip(placements, ends, strict=True)
        ]
        return Table(columns=(*columns, ("Verdict", "text")), rows=tuple(rows))
    columns = [("Characteristic", "text"), *((stage, "share") for stage in stages), ("Verdict", "text")]
    rows = [(item.label, *item.probs, VERDICTS[item.verdict]) for item in placements]
    if outlined:
        columns += [("From", "text"), ("To", "text")]
        rows = [(*row, *_set_ends(item)) for row, item in zip(rows, placements, strict=True)]
    return Table(columns=tuple(columns), rows=tuple(rows))


def _set_ends(item: PlacementView) -> tuple[str, str]:
    if item.verdict != "placed" or item.low is None or item.high is None:
        return "", ""
    return item.stages[item.low], item.stages[item.high]


VERDICTS = {
    "placed": "placed",
    "thin": "not enough evidence yet",
    "evidence_only": "inferred, not calibrated",
}
