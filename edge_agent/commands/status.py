"""`agent status`: does the running agent work."""

import json
from contextlib import suppress
from typing import Final

from edge_agent.commands.common import AsJson, Folder, print_counts, say
from edge_agent.paths import AgentFolder
from edge_agent.settings import load_hub, load_settings
from shared.errors import CommonGroundError, SettingsError

_WHOSE: Final = {
    "agent": "Fingerprint of this agent",
    "agent_next": "A new key of this agent waits until the hub answers",
    "hub": "Fingerprint of the district's hub",
    "hub_next": "A new key of the district's hub waits until the hub uses it",
}


def status(folder: Folder, as_json: AsJson = False) -> None:
    """Say whether the running agent works."""
    from msgspec import to_builtins

    from edge_agent.asking import ask
    from edge_agent.pages.shape import model_words
    from edge_agent.sight.blind_spot import told

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    fingerprints = _fingerprints(paths)
    try:
        said, found = ask(settings, folder)
    except CommonGroundError:
        if not as_json:
            _say_keys(fingerprints)  # they lie on disk, and are asked for on the telephone
        raise
    if as_json:
        say(json.dumps(json.loads(said) | {"fingerprints": fingerprints}))
        return
    say(f"{found.school}: {found.working}")
    for step in found.next_steps:
        if step != found.working:
            say(f"Then: {step}")
    _say_keys(fingerprints)
    for source in found.sources:
        newest = f"newest line {source.fresh}" if source.fresh else "no line yet"
        say(f"Source {source.id} ({source.kind}): {source.state}; {newest}, {source.signals} signals")
    signals = found.signals if found.signals is not None else sum(one.signals for one in found.sources)
    totals = {"signals": signals}
    totals |= {"windows closed": found.windows.closed, "records sent": found.outbox.sent}
    held = found.district_holds
    if held is not None:
        compared = "as this school’s log has it" if held.agrees else "which this school’s log does not have"
        say(f"The district holds entry {held.seq}, {compared}.")
    if found.sight.lessons:
        say(told(to_builtins(found.sight)))
    for model in found.models:
        say(f"Model {model.id} {model.version}: {model_words(model)}")
    print_counts(totals, {"refused": found.refused, "unmatched": found.unmatched, "outside": found.outside})


def _fingerprints(paths: AgentFolder) -> dict[str, str]:
    """Of this agent's key and, once it has joined, the hub's, and of those that are to follow them."""
    from edge_agent.leaving.hub_link import OWN
    from shared.link import keys

    hub = load_hub(paths)
    found = {"agent": keys.load_or_create(paths.secrets, OWN).public}
    with suppress(SettingsError):  # what is wrong with it, the agent itself says
        following = keys.next_pair(paths.secrets, OWN)
        found |= {"agent_next": following.public} if following else {}
    if hub is not None:
        found["hub"] = hub.public_key
        found |= {"hub_next": hub.next_public_key} if hub.next_public_key else {}
    return {whose: keys.fingerprint(public) for whose, public in found.items()}


def _say_keys(fingerprints: dict[str, str]) -> None:
    for whose, fingerprint in fingerprints.items():
        say(f"{_WHOSE[whose]}: {fingerprint}")
