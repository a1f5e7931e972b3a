"""`agent status`: does the running agent work."""

import json

from edge_agent.commands.common import AsJson, Folder, print_counts, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_settings


def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say whether the running agent works."""
    from edge_agent.asking import ask
    from edge_agent.pages.shape import model_words

    said, found = ask(load_settings(AgentFolder(folder)), folder)
    if as_json:
        say(json.dumps(json.loads(said)))
        return
    say(f"{found.school}: {found.working}")
    totals = {"signals": sum(source.signals for source in found.sources)}
    totals |= {"windows closed": found.windows.closed, "records sent": found.outbox.sent}
    for model in found.models:
        say(f"Model {model.id} {model.version}: {model_words(model)}")
    print_counts(totals, {"refused": found.refused, "unmatched": found.unmatched, "outside": found.outside})
