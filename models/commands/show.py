"""`models show`: one integration model, its weights, sources and limits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from models.commands.common import Json, print_json

if TYPE_CHECKING:
    from models.integration.load import IntegrationModel


def show(
    model: Annotated[str, typer.Argument(help="A model's id, or the path of its TOML file.")],
    json: Json = False,
) -> None:
    """Show one integration model: its stages, its weights and where they come from, its limits."""
    from models.integration.load import load_model

    found = load_model(model)
    if json:
        print_json(msgspec.to_builtins(found))
    else:
        typer.echo("\n".join(_described(found)))


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
