"""`models crosswalk`: which stages of different models resemble one another, and who says so."""

from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from models.commands import layout
from models.commands.common import Json, print_json

if TYPE_CHECKING:
    from models.integration.crosswalk import Pair


def crosswalk(
    model: Annotated[str | None, typer.Argument(help="Only pairs with this model.")] = None,
    json: Json = False,
) -> None:
    """Show which stages of different models are held alike, by whom, and how surely."""
    from models.integration.crosswalk import crosswalk_of, lineage_of, load_crosswalk
    from models.integration.load import load_model

    whole = load_crosswalk()
    if model is None:
        lineage, pairs = whole.lineage, whole.pairs
    else:
        known = load_model(model).id
        lineage, pairs = lineage_of(known), crosswalk_of(known)
    if json:
        print_json(
            {
                "caution": whole.caution,
                "lineage": msgspec.to_builtins(lineage),
                "pairs": msgspec.to_builtins(pairs),
            }
        )
        return
    typer.echo(layout.paragraph(whole.caution))
    for line in lineage:
        typer.echo("\n" + layout.paragraph(line.in_words()))
    for here, there in dict.fromkeys((pair.here.model, pair.there.model) for pair in pairs):
        between = [pair for pair in pairs if (pair.here.model, pair.there.model) == (here, there)]
        typer.echo("\n" + typer.style(f"{here} ~ {there}", bold=True))
        for pair in between:
            typer.echo(layout.paragraph(_stages(pair), indent=2))
            typer.echo(layout.paragraph(f"{pair.why} [{pair.source}]", indent=6))
    if not pairs:
        typer.echo("\nno pairs: nobody has claimed any for this model")


def _stages(pair: "Pair") -> str:
    here, there = pair.here, pair.there
    alike = f"{here.dimension}.{here.stage} ~ {there.dimension}.{there.stage}"
    return f"{alike} ({pair.basis}, {pair.confidence} confidence)"
