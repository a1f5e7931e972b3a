"""`commonground hub`: the commands of a district, each in a file of `hub/commands/`."""

import typer

from hub.commands.import_usage import import_usage
from hub.commands.init import init
from hub.commands.invite import invite
from hub.commands.revoke import revoke
from hub.commands.run import run
from hub.commands.schools import schools
from hub.commands.status import status

app = typer.Typer(
    name="hub",
    help="The hub in the district: schools deliver to it, people read its pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback must not print what variables hold
)

for command in (init, run, invite, revoke, schools, import_usage, status):
    app.command(command.__name__.replace("_", "-"))(command)
