"""`models card`: a fit as one page for people, which needs no server and no network."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.commands.common import Out, refuse_same
from shared.errors import UsageError
from shared.files import replace

if TYPE_CHECKING:
    from models.card.drift import FeatureDrift
    from models.scoring.fit_file import Fit


def card(
    fit: Annotated[Path, typer.Argument(metavar="FIT.json", help="A fit, written by `fit`.")],
    out: Out,
    features: Annotated[
        Path | None,
        typer.Option("--features", help="CSV of later lessons: how far they have moved from the fit's."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help="The TOML file of the model, if it is one of your own."),
    ] = None,
    without_people: Annotated[
        bool,
        typer.Option(
            "--without-people", help="Leave the codes of coaches and schools out, before handing the page on."
        ),
    ] = False,
) -> None:
    """Write the model card of a fit: what it learned from, how far to believe it, what it cannot see.

    Codes of coaches and schools stand on the page as they stand in the fit: whoever made the fit holds them
    already, and coaches should find themselves in it.
    """
    refuse_same(out, fit, features, Path(model) if model else None)
    from models.card.page import card as written
    from models.integration.load import load_model
    from models.scoring.fit_check import RUBRIC
    from models.scoring.fit_file import matched, read_fit

    found = read_fit(fit)
    if found.fitted == RUBRIC:
        raise UsageError(
            f"{fit} is the rubric alone, which no rating has touched: give a fit, written by `fit`"
        )
    try:
        known = load_model(model or found.model)
    except UsageError:
        if model:
            raise
        named = f"{fit} was fitted for the model {found.model[:40]!r}, which does not ship with the program"
        raise UsageError(f"{named}: give its TOML file with --model") from None
    drift = _drift(features, matched(found, known, str(fit))) if features else ()
    text = written(matched(found, known, str(fit)), known, drift, people=not without_people)
    replace(out, text.encode())
    typer.echo(f"{out}: the model card of {known.name}, as one page that needs nothing beside it")


def _drift(path: Path, fit: "Fit") -> "tuple[FeatureDrift, ...]":
    from models import tables
    from models.card.drift import drift

    later = tables.read_features(path)
    if not later.ids:
        raise UsageError(f"{path} holds no lesson: give features of lessons since the fit")
    return drift(later.x, fit)
