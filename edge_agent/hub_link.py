"""Hop 2: this agent's link to the district's hub, and the keys of both that may change while it runs."""

import json
import random
import secrets
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
import structlog

from edge_agent.paths import AgentFolder
from edge_agent.settings import HubSettings, load_hub
from shared.files import replace
from shared.link import keys
from shared.link.client import LinkClient
from shared.link.feed import Feed
from shared.link.keys import KeyPair

RECORDS_STREAM: Final = "records"
OWN: Final = "agent"


def own_keys(folder: AgentFolder) -> tuple[KeyPair, ...]:
    """The agent's key pair towards the hub and, while it changes, the next one."""
    pair, following = keys.load_or_create(folder.secrets, OWN), keys.next_pair(folder.secrets, OWN)
    return (pair,) if following is None else (pair, following)


def write_hub(folder: AgentFolder, hub: HubSettings) -> None:
    """Keep which hub this is, whole or not at all."""
    lines = [
        f"{name} = {json.dumps(value)}\n" for name, value in msgspec.structs.asdict(hub).items() if value
    ]
    replace(folder.hub, ("# The district's hub, as its invitation named it.\n" + "".join(lines)).encode())


class HubLink:
    """The client to the hub, from `start` to `stop`. `look` is called now and then, from one thread."""

    def __init__(
        self,
        folder: AgentFolder,
        hub: HubSettings,
        feed: Feed,
        make: Callable[..., LinkClient] = LinkClient,
    ) -> None:
        self._folder = folder
        self._log = structlog.get_logger("agent")
        self._asked: str | None = None
        self.trouble = ""
        pairs = own_keys(folder)
        self._asked = pairs[1].public if len(pairs) > 1 else None
        self.client = make(
            hub.address,
            (hub.public_key, hub.next_public_key) if hub.next_public_key else hub.public_key,
            pairs,
            RECORDS_STREAM,
            feed,
            random.Random(secrets.randbits(64)),
            on_renewed=self._renewed,
            on_not_renewed=self._not_renewed,
            on_next_key=partial(self._hub_changes, "next_public_key"),
            on_server_key=partial(self._hub_changes, "public_key"),
        )
        if len(pairs) > 1:
            self.client.renew(pairs[1])

    def look(self) -> None:
        """Take up a new key that `agent rotate-key` has made meanwhile."""
        pair = keys.next_pair(self._folder.secrets, OWN)
        if pair is not None and pair.public != self._asked:
            self._asked = pair.public
            self.client.renew(pair)

    def _renewed(self, pair: KeyPair) -> None:
        """The hub speaks with the new key: it becomes the agent's own. May come twice."""
        following = keys.next_pair(self._folder.secrets, OWN)
        if following is not None and following.public == pair.public:
            keys.promote(self._folder.secrets, OWN)
            self._log.info("key changed", fingerprint=keys.fingerprint(pair.public))
        self._asked, self.trouble = None, ""

    def _not_renewed(self, reason: str) -> None:
        self.trouble = (
            f"The hub does not take this agent's new key ({reason}); the old one stays in use. Remove"
            f" {self._folder.secrets / 'agent.next.key'}, and tell the district's administrator."
        )

    def _hub_changes(self, which: str, public: str) -> None:
        hub = load_hub(self._folder)
        if hub is None:
            return
        changed = {"next_public_key": ""} if which == "public_key" else {}
        write_hub(self._folder, msgspec.structs.replace(hub, **{**changed, which: public}))
        self._log.info("hub key", which=which, fingerprint=keys.fingerprint(public) if public else "none")
