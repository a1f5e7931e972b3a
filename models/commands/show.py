"""`models show`: one integration model, its weights, sources and limits."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from models.commands import layout
from models.commands.common import Json, print_json
from models.commands.list_models import Own

if TYPE_CHECKING:
    from models.integration.model import Dimension, IntegrationModel

GRAINS: Final = {
    "lesson": "speaks of a lesson, and one lesson is a snapshot",
    "week": "speaks of a week: never of one lesson",
    "term": "speaks of a term: never of one lesson",
}


def show(
    model: Annotated[str, typer.Argument(help="A model's id, or the path of its TOML file.")],
    own: Own = None,
    json: Json = False,
) -> None:
    """Show one integration model: its stages, its weights and where they come from, its limits."""
    from models.integration.load import load_model

    found = load_model(model, own)
    if json:
        from models.integration.crosswalk import crosswalk_of, lineage_of

        whole = msgspec.to_builtins(found)
        whole["lineage"] = msgspec.to_builtins(lineage_of(found.id))
        whole["crosswalk"] = msgspec.to_builtins(crosswalk_of(found.id))
        print_json(whole)
    else:
        typer.echo("\n".join(_described(found)))


def _described(model: "IntegrationModel") -> Iterator[str]:
    yield typer.style(layout.paragraph(f"{model.name} ({model.id}), version {model.version}"), bold=True)
    yield layout.paragraph(model.text)
    yield ""
    for head, words in (
        ("Grain", GRAINS[model.grain]),
        ("Owner", model.owner),
        ("Source", model.source),
        ("Link", model.link),
    ):
        yield layout.paragraph(words, bullet=f"{head:<8}")
    for dimension in model.dimensions:
        yield ""
        yield from _scale(dimension)
    for title, lines in (
        ("No signal can see", model.unseen),
        ("What its owner, or those who know it, warn of", model.warnings),
        ("Said against it", [f"{said.text} [{said.source}]" for said in model.criticism]),
        ("Its family", list(_family(model.id))),
    ):
        if lines:
            yield ""
            yield typer.style(title, bold=True)
            yield from (layout.paragraph(line, indent=2, bullet="- ") for line in lines)
    yield from _crosswalk(model.id)


def _scale(dimension: "Dimension") -> Iterator[str]:
    yield typer.style(f"{dimension.name} ({dimension.id})", bold=True)
    yield layout.paragraph(dimension.text, indent=2)
    if dimension.shown_as == "band":
        yield layout.paragraph(f"Shown as one wide band, never as one stage. {dimension.why_band}", indent=2)
    yield ""
    stages = [
        (stage.name, f"{rate:.0%}", stage.text)
        for stage, rate in zip(dimension.stages, dimension.base_rates, strict=True)
    ]
    yield layout.table(("Stage", "Assumed", "On this scale"), stages, right="Assumed")
    yield ""
    indicators = [
        (f"{one.weight:+.2g}", one.feature, f"{one.why} [{one.source}]") for one in dimension.indicators
    ]
    yield layout.table(("Weight", "Feature", "Why [source]"), indicators, right="Weight")
    if dimension.needs:
        yield ""
        yield layout.paragraph(f"Thin without: {', '.join(dimension.needs)}", indent=2)


def _family(model: str) -> Iterator[str]:
    from models.integration.crosswalk import lineage_of

    return (line.in_words() for line in lineage_of(model))


def _crosswalk(model: str) -> Iterator[str]:
    from models.integration.crosswalk import crosswalk_of

    pairs = crosswalk_of(model)
    if not pairs:
        return
    yield ""
    yield typer.style("Stages of other models that are held alike", bold=True)
    rows = [
        (f"{pair.here.dimension}.{pair.here.stage}", str(pair.there), f"{pair.basis}, {pair.confidence}")
        for pair in pairs
    ]
    yield layout.table(("Here", "There", "Basis, confidence"), rows)
    yield ""
    yield layout.paragraph(f"Why, and who says so: commonground models crosswalk {model}", indent=2)
