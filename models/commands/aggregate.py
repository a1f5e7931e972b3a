"""`models aggregate`: levels of classes and schools from their lessons' placements, with their doubt."""

import enum
import itertools
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from models.commands.common import Features, Json, Out, print_json, refuse_same
from shared.errors import UsageError

if TYPE_CHECKING:
    from models.grouping.tables import GroupRow
    from models.integration.load import Dimension, IntegrationModel
    from models.scoring.fit_file import Fit

_MOST_SHOWN: Final = 60  # rows on a terminal; G.csv has all
_OUTSIDE: Final = 0.1  # of a group's lessons lie below its band, and as many above
_ROUNDING: Final = 1e-9


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
    shares: Annotated[
        Path | None,
        typer.Option("--shares", help="A second file to write: shares of lessons at each stage."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", help="The fit's model where it is one of your own: the path of its TOML file."
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Levels of classes or schools: mean and shares of stages with 90% intervals, or why not to compare.

    This is what models of a term speak through: what `score` says of one lesson by them is only input here.
    """
    from models import tables
    from models.grouping.tables import group_rows, write_groups, write_shares
    from models.scoring.fit_file import read_fit

    for file in filter(None, (out, shares)):
        refuse_same(file, placements, features, fitted)
    if shares and shares.resolve() == out.resolve():
        raise UsageError("`--shares` and `--out` are the same file: choose another name for one of them")
    fit = read_fit(fitted)
    spoken = _model(fit, model, str(fitted))
    placed = tables.read_placements(placements)
    known = tables.read_features(features)
    rows = group_rows(placed, known, fit, by.value, (str(placements), str(features)))
    write_groups(out, rows)
    if shares:
        write_shares(shares, rows)
    if json:
        print_json([asdict(row) for row in rows])
        return
    typer.echo("\n".join(_described(rows, fit, spoken, known.class_ is not None)))


def _model(fit: "Fit", name: str | None, file: str) -> "IntegrationModel | None":
    """The model that the fit is of: the one named, or one that comes with the core; None where neither is."""
    from models.integration.load import load_model, model_names
    from models.scoring.fit_file import matched

    if name is None and fit.model not in model_names():
        return None
    model = load_model(name or fit.model)
    matched(fit, model, file)
    return model


def _described(
    rows: "Sequence[GroupRow]", fit: "Fit", model: "IntegrationModel | None", classes: bool
) -> Iterator[str]:
    from models.commands import layout

    if fit.simulated:
        yield "Simulated: no real lesson stands behind this fit."
    scales = {scale.id: scale for scale in model.dimensions if scale.shown_as == "band"} if model else {}
    shown = [_cells(row, scales.get(row.dimension)) for row in rows[:_MOST_SHOWN]]
    yield layout.table(
        ("Group", "Dimension", "Lessons", "Level", "90% interval", "Status"),
        shown,
        indent=0,
        right="Lessons",
    )
    if len(rows) > len(shown):
        yield f"... and {len(rows) - len(shown)} more rows in the file"
    yield ""
    counts = Counter(row.status for row in rows)
    yield layout.paragraph(", ".join(f"{n} {status}" for status, n in counts.most_common()))
    for note in _notes(fit, model, classes, {row.dimension for row in rows} - set(scales), bool(scales)):
        yield layout.paragraph(note)


def _notes(
    fit: "Fit", model: "IntegrationModel | None", classes: bool, means: Collection[str], bands: bool
) -> Iterator[str]:
    from models.grouping.clusters import USUAL_CLASS

    if means:
        yield "A number is a mean level, counted from 0."
    if bands:
        yield (
            "Stages are a band that holds the middle 80% of a group's lessons, what is not known of them "
            "counted in: this scale is too coarse to tell more."
        )
    yield (
        "Groups stand in the order of their names; those that overlap say that nothing is known of who is "
        "ahead."
    )
    if not classes:
        yield f"No class is named: lessons are taken to be of classes of {USUAL_CLASS}."
    if model is None:
        yield (
            f"`{fit.model}` is a model of your own: name its file with --model, and what it says of bands "
            "and of the time it speaks of is kept."
        )
    elif model.grain != "lesson":
        yield (
            f"{model.name} speaks of a {model.grain}: give it a {model.grain}'s lessons, and read no row of "
            "one lesson as a placement."
        )


def _cells(row: "GroupRow", scale: "Dimension | None") -> tuple[str, ...]:
    """The row as people read it; scale: the dimension where it is shown as a band."""
    level, span = "-", "-"
    if scale is not None and row.mean is not None:
        names = [scale.stages[at].name for at in middle([one.share for one in row.shares])]
        level, span = " to ".join(dict.fromkeys(names)), "in the band"
    elif row.mean is not None:
        level, span = f"{row.mean:.2f}", f"{row.low:.2f} to {row.high:.2f}"
    return row.group, row.dimension, str(row.n), level, span, row.status


def middle(shares: Sequence[float]) -> tuple[int, int]:
    """The lowest and the highest stage of the middle 80% of lessons."""
    below = list(itertools.accumulate(shares[:-1]))
    first = sum(part <= _OUTSIDE + _ROUNDING for part in below)
    last = sum(part < 1 - _OUTSIDE - _ROUNDING for part in below)
    return first, last
