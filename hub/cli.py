"""`commonground hub`: the commands of a district, each in a file of `hub/commands/`."""

import typer

from hub.commands.alarms import alarms
from hub.commands.catalogue import catalogue
from hub.commands.forget import forget
from hub.commands.import_usage import import_usage
from hub.commands.init import init
from hub.commands.invite import invite
from hub.commands.revoke import revoke
from hub.commands.rotate_key import rotate_key
from hub.commands.run import run
from hub.commands.schools import schools
from hub.commands.service import service
from hub.commands.status import status
from hub.commands.verify import verify

app = typer.Typer(
    name="hub",
    help="The hub in the district: schools deliver to it, people read its pages.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback must not print what variables hold
)

COMMANDS = (
    init,
    run,
    invite,
    revoke,
    forget,
    rotate_key,
    schools,
    import_usage,
    status,
    alarms,
    verify,
    service,
)
for command in COMMANDS:
    app.command(command.__name__.replace("_", "-"))(command)
app.add_typer(catalogue, name="catalogue")
