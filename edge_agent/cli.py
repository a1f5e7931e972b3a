"""`commonground agent`: the commands of a school's IT, each in a file of `edge_agent/commands/`."""

import typer

from edge_agent.commands.agreement import agreement
from edge_agent.commands.backup import backup
from edge_agent.commands.catalogue import catalogue
from edge_agent.commands.check import check
from edge_agent.commands.classes import classes
from edge_agent.commands.collectors import collectors
from edge_agent.commands.disclosures import disclosures
from edge_agent.commands.handover import handover
from edge_agent.commands.idle import idle
from edge_agent.commands.init import init
from edge_agent.commands.invite import invite
from edge_agent.commands.join import join
from edge_agent.commands.profile import profile
from edge_agent.commands.rejected import rejected
from edge_agent.commands.replay import replay
from edge_agent.commands.restore import restore
from edge_agent.commands.revoke import revoke
from edge_agent.commands.rotate_key import rotate_key
from edge_agent.commands.run import run
from edge_agent.commands.service import service
from edge_agent.commands.share import share
from edge_agent.commands.status import status
from edge_agent.commands.today import today
from edge_agent.commands.unshare import unshare

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback must not print what variables hold
    help="In the school: gather signals, close lessons, send records.",
)

for command in (
    init,
    check,
    join,
    run,
    status,
    today,
    replay,
    idle,
    classes,
    share,
    unshare,
    invite,
    collectors,
    revoke,
    rotate_key,
    disclosures,
    agreement,
    profile,
    service,
    backup,
    restore,
    handover,
):
    app.command(command.__name__.replace("_", "-"))(command)
app.add_typer(rejected, name="rejected")
app.add_typer(catalogue, name="catalogue")
