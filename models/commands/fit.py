"""`models fit`: from features and walkthrough ratings to FIT.json, with a short account for people."""

import enum
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.commands.common import Features, Model, Out, Ratings, Seed, refuse_same
from models.commands.layout import figures
from shared.errors import BadInput, UsageError
from shared.files import replace

if TYPE_CHECKING:
    from models.fitting.ratings import RatingTable
    from models.scoring.fit_file import DimensionFit, Fit


_MOST_COACHES = 8  # with more, only those who stand out are listed
_LEAST_SHARE = 1e-6  # as good as 0, and an empty window still keeps nothing


class Prior(enum.StrEnum):
    """Where weights lie before any rating: around the rubric's, or around 0."""

    RUBRIC = "rubric"
    FLAT = "flat"


def fit(
    features: Features,
    ratings: Ratings,
    model: Model,
    out: Out,
    prior: Annotated[
        Prior, typer.Option("--prior", help="Weights lie around the rubric's, or (flat) around 0.")
    ] = Prior.RUBRIC,
    seed: Seed = 0,
    noise_share: Annotated[
        str,
        typer.Option(
            "--noise-share", help="Share of noise in features at median evidence: fitted, or 0 to 1."
        ),
    ] = "fitted",
    simulated: Annotated[
        bool,
        typer.Option(
            "--simulated",
            help="Say that no real lesson stands behind it (known by itself beside oracle.json).",
        ),
    ] = False,
    without_people: Annotated[
        bool,
        typer.Option("--without-people", help="Leave codes of coaches and schools out of the file."),
    ] = False,
) -> None:
    """Fit a model to walkthrough ratings: weights, cutpoints, coaches' severities, and sets of stages."""
    refuse_same(out, features, ratings, Path(model))
    share = _noise_share(noise_share)
    from models import tables
    from models.fitting.fit import Options, fit_model
    from models.fitting.ratings import read_ratings
    from models.integration.load import load_model
    from models.scoring.fit_file import decode, encode

    found = load_model(model)
    table = tables.read_features(features)
    rated = read_ratings(ratings, found, table)
    if not any(len(one.row) for one in rated.dimensions.values()):
        raise BadInput(
            "no_ratings", f"{ratings}: no rating is of use, so nothing was written: {_unused(rated)}"
        )
    oracle = _oracle_beside(ratings) or _oracle_beside(features)
    options = Options(
        prior=prior.value,
        seed=seed,
        noise_share=share,
        simulated=simulated or oracle is not None,
    )
    day = datetime.now(UTC).date().isoformat()
    with _bar(len(found.dimensions)) as progress:
        fitted = fit_model(found, table, rated, options, day=day, progress=progress)
    data = encode(fitted.without_people() if without_people else fitted)
    decode(data, "the fit that these files give")  # whatever is written can be read
    replace(out, data)
    why = f"{oracle} says so" if oracle and not simulated else "as --simulated says"
    typer.echo("\n".join(_described(fitted, rated, why)))


def _oracle_beside(ratings: Path) -> Path | None:
    """The simulator's oracle.json in the ratings' folder, if there is one that calls itself simulated."""
    path = ratings.parent / "oracle.json"
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return path if isinstance(told, dict) and told.get("simulated") is True else None


def _unused(rated: "RatingTable") -> str:
    briefed = sum(one.briefed for one in rated.dimensions.values())
    unknown = sum(one.unknown_window for one in rated.dimensions.values())
    return f"{briefed} by coaches who had seen the placement, {unknown} of windows that the features lack"


def _noise_share(text: str) -> float | None:
    if text == "fitted":
        return None
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(f"--noise-share {text[:20]!r}: give `fitted`, or a number from 0 to 1")
    return max(share, _LEAST_SHARE)


@contextmanager
def _bar(dimensions: int) -> Iterator[Callable[[str], None]]:
    """A bar over dimensions when a terminal is attached, else nothing."""
    if not sys.stderr.isatty():
        yield lambda dimension: None
        return
    with typer.progressbar(length=dimensions, label="fitting", file=sys.stderr) as bar:
        yield lambda dimension: bar.update(1)


def _described(fitted: "Fit", ratings: "RatingTable", why: str) -> Iterator[str]:
    """The account, line by line; why: who says that it is simulated, if it is."""
    windows = fitted.reference.windows
    yield f"{fitted.model} {fitted.version}, {fitted.prior} prior, reference of {windows} windows"
    if fitted.simulated:
        yield f"Simulated, {why}: no real lesson stands behind this fit."
    heads = ("dimension", "ratings", "briefed", "no window", "kappa", "within 1", "90% sets hold", "stages")
    rows = [_row(name, dimension) for name, dimension in fitted.dimensions.items()]
    yield figures(heads, rows, indent=0)
    yield "A coach's number is the log-odds of a higher level than others would give, with a 90% interval."
    yield "Kappa (quadratic weighted), within 1 and sets are of ratings held out of the fit."
    if ratings.other_school:
        yield f"{ratings.other_school} ratings name another school than their window's, which counts."
    for name, dimension in fitted.dimensions.items():
        yield from _told(name, dimension)


def _row(name: str, dimension: "DimensionFit") -> tuple[str, ...]:
    left, held = dimension.left_out, dimension.held_out
    counts = (name, str(dimension.ratings), str(left.briefed), str(left.unknown_window))
    if held is None:
        return (*counts, "-", "-", "not calibrated", "-")
    return (
        *counts,
        "-" if held.kappa is None else f"{held.kappa:.2f}",
        f"{held.within_one:.0%}",
        f"{held.coverage:.0%}",
        f"{held.size:.1f}",
    )


def _told(name: str, dimension: "DimensionFit") -> Iterator[str]:
    yield f"\n{name}"
    if dimension.sets:
        how = (
            "ratings split off for them"
            if dimension.sets.method == "split"
            else "ten folds in turn, without an exact guarantee"
        )
        yield f"  sets from {how}; noise share {dimension.noise_share:.2f}"
    shown = [
        coach
        for coach in dimension.coaches
        if len(dimension.coaches) <= _MOST_COACHES or not coach.low <= 0 <= coach.high
    ]
    if len(shown) < len(dimension.coaches):
        yield f"  {len(shown)} of {len(dimension.coaches)} coaches differ from the others beyond chance:"
    for coach in shown:
        span = f"{coach.mean:+.2f} ({coach.low:+.2f} to {coach.high:+.2f})"
        yield f"  coach {coach.id}: {span}, {coach.ratings} ratings"
    if dimension.agreement:
        agreed = dimension.agreement
        kappa, alpha = (("-" if v is None else f"{v:.2f}") for v in (agreed.kappa, agreed.alpha))
        yield f"  {agreed.windows} windows rated twice or more: kappa {kappa}, Krippendorff's alpha {alpha}"
    for note in dimension.notes:
        yield f"  {note}"
