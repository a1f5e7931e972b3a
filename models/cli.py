"""`commonground models`: what the scoring core knows, and its steps from signals to placements."""

import typer

from models.commands.aggregate import aggregate
from models.commands.card import card
from models.commands.catalogue import catalogue
from models.commands.check import check
from models.commands.crosswalk import crosswalk
from models.commands.evaluate import evaluate
from models.commands.export import export
from models.commands.features import features
from models.commands.fit import fit
from models.commands.list_models import list_models
from models.commands.score import score
from models.commands.show import show
from models.commands.simulate import simulate

app = typer.Typer(
    help="The scoring core: models, features, scores, fitting from walkthroughs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("list")(list_models)
for command in (
    show,
    crosswalk,
    catalogue,
    check,
    features,
    score,
    fit,
    evaluate,
    export,
    simulate,
    card,
    aggregate,
):
    app.command(command.__name__)(command)
