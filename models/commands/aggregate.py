"""`models aggregate`: levels of classes and schools from their lessons' placements, with their doubt."""

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from models.commands.common import Features, Json, Out, print_json

if TYPE_CHECKING:
    from models.grouping.tables import GroupRow
    from models.scoring.fit_file import Fit

_MOST_SHOWN: Final = 60  # rows on a terminal; G.csv has all


class By(enum.StrEnum):
    """What a group is."""

    CLASS = "class"
    SCHOOL = "school"


def aggregate(
    placements: Annotated[
        Path, typer.Argument(metavar="PLACEMENTS", help="CSV written by `score --fitted`.")
    ],
    features: Features,
    fitted: Annotated[Path, typer.Option("--fitted", help="FIT.json that the placements were scored with.")],
    by: Annotated[
        By, typer.Option("--by", help="A class over all its lessons here (a term's), or a school.")
    ],
    out: Out,
    json: Json = False,
) -> None:
    """Mean levels of classes or schools, each with a 90% interval, or the reason why it is not comparable.

    This is what models of a term speak through: what `score` says of one lesson by them is only input here.
    """
    from models import tables
    from models.grouping.tables import group_rows, write_groups
    from models.scoring.fit_file import read_fit

    fit = read_fit(fitted)
    placed = tables.read_placements(placements)
    known = tables.read_features(features)
    rows = group_rows(placed, known, fit, by.value, (str(placements), str(features)))
    write_groups(out, rows)
    if json:
        print_json([asdict(row) for row in rows])
        return
    typer.echo("\n".join(_described(rows, fit, known.class_ is not None)))


def _described(rows: "Sequence[GroupRow]", fit: "Fit", classes: bool) -> Iterator[str]:
    from models.commands import layout
    from models.grouping.clusters import USUAL_CLASS

    if fit.simulated:
        yield "Simulated: no real lesson stands behind this fit."
    shown = [_cells(row) for row in rows[:_MOST_SHOWN]]
    yield layout.table(
        ("Group", "Dimension", "Lessons", "Mean", "90% interval", "Status"),
        shown,
        indent=0,
        right="Lessons Mean",
    )
    if len(rows) > len(shown):
        yield f"... and {len(rows) - len(shown)} more rows in the file"
    yield ""
    counts = Counter(row.status for row in rows)
    yield layout.paragraph(", ".join(f"{n} {status}" for status, n in counts.most_common()))
    yield layout.paragraph(
        "Levels count from 0. Groups stand in the order of their names; intervals that overlap say that "
        "nothing is known of who is ahead."
    )
    if not classes:
        yield layout.paragraph(f"No class is named: lessons are taken to be of classes of {USUAL_CLASS}.")
    if _of_a_term(fit.model):
        yield layout.paragraph(
            f"{fit.model} speaks of a term: give it a term's lessons, and read no row of one lesson as a "
            "placement."
        )


def _cells(row: "GroupRow") -> tuple[str, ...]:
    if row.mean is None:
        return row.group, row.dimension, str(row.n), "-", "-", row.status
    span = f"{row.low:.2f} to {row.high:.2f}"
    return row.group, row.dimension, str(row.n), f"{row.mean:.2f}", span, row.status


def _of_a_term(model: str) -> bool:
    """Whether a model that comes with the core speaks of a term; a model of one's own is not asked."""
    from models.integration.load import load_model, model_names

    return model in model_names() and load_model(model).grain == "term"
