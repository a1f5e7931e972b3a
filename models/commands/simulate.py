"""`simulate`: a universe of walkthroughs from a seed, with the truth, and what an oracle reaches in it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from models.commands import layout
from models.commands.common import Json, Seed, print_json
from shared.errors import UsageError

if TYPE_CHECKING:
    from models.integration.model import IntegrationModel
    from models.simulator.options import Options
    from models.simulator.study import Plan

Folder = Annotated[Path, typer.Option("--out", help="The folder for F.csv, R.csv, truth.csv, oracle.json.")]
Model = Annotated[str, typer.Option("--model", help="A model's id, or the path of its TOML file.")]
Dimensions = Annotated[
    list[str] | None, typer.Option("--dimension", help="Only this dimension; may be repeated.")
]
Family = Annotated[str, typer.Option(help="`steps`, or `skewed`, whose densities no ordinal model fits.")]
Ratings = Annotated[int, typer.Option(help="Ratings a dimension in R.csv.")]
NewRatings = Annotated[int, typer.Option(help="Further rated lessons, kept back in R_new.csv.")]
Lessons = Annotated[int, typer.Option(help="Lessons of all schools together, about.")]
Schools = Annotated[int | None, typer.Option(help="Schools; 8 to 40 are drawn otherwise.")]
Coaches = Annotated[int | None, typer.Option(help="Coaches in R.csv; 4 to 12 are drawn otherwise.")]
Single = Annotated[bool, typer.Option("--single-coach", help="One coach made all ratings of R.csv.")]
Signs = Annotated[float, typer.Option(help="Share of rubric features whose true direction is the opposite.")]
Pairs = Annotated[int, typer.Option(help="Pairs of features of which only the product tells.")]
Shuffled = Annotated[bool, typer.Option("--shuffled", help="Permute the ratings of R.csv among lessons.")]
Resolver = Annotated[float, typer.Option(help="Share of lessons that only a resolver's log saw.")]
Briefed = Annotated[float, typer.Option(help="Ratings by coaches who knew the placement, as a share more.")]

_CHOSEN: Final = ("family", "signs_wrong", "interactions", "resolver_only", "single_coach")
_SHOWN: Final = ("accuracy", "qwk", "ece", "set_size", "coach_truth", "coach_coach")
_TITLES: Final = ("accuracy", "QWK", "ECE", "set size", "coach/truth", "coach/coach")


def simulate(
    out: Folder,
    seed: Seed = 0,
    model: Model = "tim",
    dimension: Dimensions = None,
    family: Family = "steps",
    ratings: Ratings = 200,
    new_ratings: NewRatings = 600,
    lessons: Lessons = 3000,
    schools: Schools = None,
    coaches: Coaches = None,
    single_coach: Single = False,
    signs_wrong: Signs = 0.0,
    interactions: Pairs = 0,
    shuffled: Shuffled = False,
    resolver_only: Resolver = 0.25,
    briefed: Briefed = 0.0,
    json: Json = False,
) -> None:
    """Make lessons whose true stages are known, coaches who rate some of them, and the oracle's figures.

    Nothing in it is real: it is there to test what is fitted. R_new.csv holds ratings that R.csv leaves out,
    half of them in schools and by coaches that R.csv does not have.
    """
    from models.integration.load import load_model
    from models.simulator.options import Options, family_of
    from models.simulator.study import Plan

    plan = Plan(lessons, ratings, new_ratings, briefed, shuffled)
    options = Options(
        family_of(family), schools, coaches, single_coach, signs_wrong, interactions, resolver_only
    )
    plan.check()
    options.check()
    _refuse_real(out)
    report = _made(out, seed, load_model(model), dimension or (), options, plan)
    if json:
        print_json({name: report[name] for name in report if name not in ("parameters", "schools")})
        return
    typer.echo("\n".join(_described(report)))
    typer.echo(
        f"{out}: {report['lessons']} simulated lessons of {len(report['schools'])} schools, "
        f"{report['ratings']} ratings a dimension"
    )


def _refuse_real(folder: Path) -> None:
    """Raises UsageError for a folder with ratings or features that no simulator made."""
    real = [name for name in ("R.csv", "F.csv") if (folder / name).exists()]
    if real and not (folder / "oracle.json").exists():
        raise UsageError(f"{folder} holds a {real[0]} that may be real: choose another folder")


def _made(
    out: Path,
    seed: int,
    model: "IntegrationModel",
    dimensions: Sequence[str],
    options: "Options",
    plan: "Plan",
) -> dict[str, Any]:
    """The universe, its study and its files; gives what oracle.json says."""
    import numpy as np

    from models.simulator.oracle_figures import oracle_figures
    from models.simulator.study import conduct
    from models.simulator.study_files import write_study
    from models.simulator.universe import Universe

    draws = np.random.default_rng(seed).spawn(3)
    universe = Universe.draw(draws[0], model=model, dimensions=dimensions, options=options)
    study = conduct(draws[1], universe, plan)
    figures = oracle_figures(draws[2], universe, study.lessons)
    chosen = {name: getattr(options, name) for name in _CHOSEN} | {"shuffled": plan.shuffled}
    made = {"seed": seed, "model": model.id, "version": model.version, "options": chosen}
    return write_study(out, study, figures, made)


def _described(report: dict[str, Any]) -> Iterator[str]:
    yield layout.paragraph("The oracle, which knows the true densities; sets hold 90% of a coach's ratings.")
    rows = [*report["dimensions"].items(), ("mean", report["mean"])]
    yield layout.figures(
        ("dimension", *_TITLES), [(name, *(f"{its[key]:.3f}" for key in _SHOWN)) for name, its in rows]
    )
