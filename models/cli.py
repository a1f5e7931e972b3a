"""`commonground models`: what the scoring core knows, and its two steps from signals to placements."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from shared.errors import CommonGroundError

if TYPE_CHECKING:
    from models.csv_columns import Progress
    from models.integration.load import IntegrationModel

app = typer.Typer(
    help="The scoring core: catalogue, integration models, features, scores.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Out = Annotated[Path, typer.Option("--out", help="The CSV file to write.")]


@app.command("list")
def list_models(json: Json = False) -> None:
    """List the integration models."""
    from models.integration.load import load_model, model_names

    models = [load_model(name) for name in model_names()]
    if json:
        _print_json([_summary(model) for model in models])
        return
    for model in models:
        dimensions = ", ".join(dimension.id for dimension in model.dimensions)
        typer.echo(f"{model.id:<12} {model.name} ({model.grain}): {dimensions}")


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="A model's id, or the path of its TOML file.")],
    json: Json = False,
) -> None:
    """Show one integration model: its stages, its weights and where they come from, its limits."""
    from models.integration.load import load_model

    found = load_model(model)
    if json:
        _print_json(msgspec.to_builtins(found))
    else:
        typer.echo("\n".join(_described(found)))


@app.command()
def catalogue(json: Json = False) -> None:
    """List the apps of the catalogue; an app's index is its position, from 1."""
    from models.catalogue.load import catalogue_as_json, load_catalogue

    known = load_catalogue()
    if json:
        _print_json(catalogue_as_json(known))
        return
    for index, entry in enumerate(known.apps, start=1):
        affords = "off-task" if entry.off_task else ", ".join(f"{c} {w:g}" for c, w in entry.channels.items())
        typer.echo(f"{index:>4} {entry.id:<32} {affords}")


@app.command()
def check(
    own: Annotated[
        list[str] | None, typer.Argument(help="TOML files of your own models, to check as well.")
    ] = None,
    json: Json = False,
) -> None:
    """Check the catalogue and the integration models; exits 1 if anything is found."""
    from models.catalogue.check import check_catalogue
    from models.integration.load import load_model, model_names
    from models.scoring.reference import shipped_reference

    findings = check_catalogue()
    looks: list[Callable[[], object]] = [partial(load_model, name) for name in (*model_names(), *(own or ()))]
    looks.append(shipped_reference)
    for look in looks:
        try:
            look()
        except CommonGroundError as error:
            findings.append(str(error))
    if json:
        _print_json({"findings": findings, "models": list(model_names())})
    elif findings:
        typer.echo("\n".join(findings))
    else:
        names = ", ".join(model_names())
        typer.echo(f"nothing found wrong with the catalogue, the reference and the models ({names})")
    if findings:
        raise typer.Exit(1)


@app.command()
def features(
    signals: Annotated[Path, typer.Argument(help="CSV: window,t,device,app,action,amount.")],
    windows: Annotated[
        Path, typer.Option("--windows", help="CSV: window,school[,class],start,end,expected,sources.")
    ],
    out: Out,
) -> None:
    """Compute the features of every window from its signals, one row a window, in their order."""
    from models import tables
    from models.catalogue.load import load_catalogue
    from models.features.compute import compute_features

    known = load_catalogue()
    table = tables.read_windows(windows)
    with _progress("reading", signals) as progress:
        found = tables.read_signals(signals, table, known.by_id, progress)
    x = compute_features(found, table.columns, known.channel_weights(), known.off_task())
    tables.write_features(out, table, x)
    row = found.window
    outside = int(((found.t < table.columns.start[row]) | (found.t >= table.columns.end[row])).sum())
    note = f"; {outside} signals outside their window were left out" if outside else ""
    typer.echo(f"{len(table)} windows from {len(found)} signals{note}", err=True)


@app.command()
def score(
    rows: Annotated[Path, typer.Argument(metavar="FEATURES", help="CSV written by `features`.")],
    model: Annotated[str, typer.Option("--model", help="A model's id, or the path of its TOML file.")],
    out: Out,
) -> None:
    """Place feature rows on a model's stages: an uncalibrated inference until walkthroughs are fitted."""
    from models import tables
    from models.scoring.scorer import Scorer

    table = tables.read_features(rows)
    scorer = Scorer.for_model(model)
    scored = scorer.score(table.x)
    tables.write_placements(out, tables.PlacementTable.of(table.ids, table.x, scored))
    note = "inferred, not calibrated by walkthroughs"
    typer.echo(f"{len(table.ids)} windows on {len(scorer.dimensions)} dimensions: {note}", err=True)


def _print_json(value: Any) -> None:
    typer.echo(msgspec.json.encode(value).decode())


def _summary(model: "IntegrationModel") -> dict[str, Any]:
    return {
        "id": model.id,
        "name": model.name,
        "version": model.version,
        "grain": model.grain,
        "dimensions": [
            {"id": dimension.id, "stages": [stage.id for stage in dimension.stages]}
            for dimension in model.dimensions
        ],
    }


def _described(model: "IntegrationModel") -> Iterator[str]:
    yield f"{model.name}, version {model.version}: {model.text}"
    yield f"Owner: {model.owner}. Source: {model.source}. {model.link}"
    for dimension in model.dimensions:
        yield f"\n{dimension.name} ({dimension.id}): {dimension.text}"
        for stage, rate in zip(dimension.stages, dimension.base_rates, strict=True):
            yield f"  {stage.name} ({rate:.0%} assumed): {stage.text}"
        for indicator in dimension.indicators:
            yield f"  {indicator.weight:+.2g} {indicator.feature}: {indicator.why} [{indicator.source}]"
        if dimension.needs:
            yield f"  thin without: {', '.join(dimension.needs)}"
    for title, lines in (
        ("No signal can see", model.unseen),
        ("Its owner warns", model.warnings),
        ("Said against it", [f"{said.text} ({said.source})" for said in model.criticism]),
    ):
        if lines:
            yield f"\n{title}:"
            yield from (f"  {line}" for line in lines)


@contextmanager
def _progress(label: str, path: Path) -> Iterator["Progress | None"]:
    """A bar over the bytes of a file when a terminal is attached, else nothing."""
    if not (sys.stderr.isatty() and path.is_file()):
        yield None
        return
    with typer.progressbar(length=path.stat().st_size, label=label, file=sys.stderr) as bar:
        yield bar.update
