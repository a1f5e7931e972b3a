"""`agent status`: does the running agent work."""

import json
from typing import Final

from edge_agent.commands.common import AsJson, Folder, print_counts, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_hub, load_settings

_WHOSE: Final = {"agent": "this agent", "hub": "the district's hub"}


def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say whether the running agent works."""
    from edge_agent.asking import ask
    from edge_agent.pages.shape import model_words

    paths = AgentFolder(folder)
    said, found = ask(load_settings(paths), folder)
    fingerprints = _fingerprints(paths)
    if as_json:
        say(json.dumps(json.loads(said) | {"fingerprints": fingerprints}))
        return
    say(f"{found.school}: {found.working}")
    for whose, fingerprint in fingerprints.items():
        say(f"Fingerprint of {_WHOSE[whose]}: {fingerprint}")
    totals = {"signals": sum(source.signals for source in found.sources)}
    totals |= {"windows closed": found.windows.closed, "records sent": found.outbox.sent}
    held = found.district_holds
    if held is not None:
        compared = "as this school's log has it" if held.agrees else "which this school's log does not have"
        say(f"The district holds entry {held.seq}, {compared}.")
    for model in found.models:
        say(f"Model {model.id} {model.version}: {model_words(model)}")
    print_counts(totals, {"refused": found.refused, "unmatched": found.unmatched, "outside": found.outside})


def _fingerprints(paths: AgentFolder) -> dict[str, str]:
    """Of both ends, as the hub's pages show them too; none before the agent joins."""
    from edge_agent.hub_link import OWN
    from shared.link import keys

    hub = load_hub(paths)
    if hub is None:
        return {}
    pair = keys.load_or_create(paths.secrets, OWN)
    return {"agent": keys.fingerprint(pair.public), "hub": keys.fingerprint(hub.public_key)}
