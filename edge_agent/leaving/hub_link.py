"""Hop 2: this agent's link to the district's hub, and the keys of both that may change while it runs."""

import random
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from edge_agent.paths import AgentFolder
from edge_agent.settings import hub_file
from shared.errors import CommonGroundError
from shared.link import keys
from shared.link.client import LinkClient
from shared.link.feed import Feed
from shared.link.keys import KeyPair
from shared.link.peer_file import Peer
from shared.link.rotation import Keeper

RECORDS_STREAM: Final = "records"
OWN: Final = "agent"


class HubLink:
    """The client to the hub, from `start` to `stop`. `look` is called now and then, from one thread."""

    def __init__(
        self,
        folder: AgentFolder,
        hub: Peer,
        feed: Feed,
        make: Callable[..., LinkClient] = LinkClient,
    ) -> None:
        self._secrets = folder.secrets
        self._file = hub_file(folder)
        self._log = structlog.get_logger("agent")
        self._unusable = self._refused = ""
        pair, following = keys.load_or_create(folder.secrets, OWN), self._following()
        self._asked = following.public if following else None
        self.client = make(
            hub.address,
            hub.public_keys,
            (pair, following) if following else pair,
            RECORDS_STREAM,
            feed,
            random.Random(secrets.randbits(64)),
            keeper=Keeper(self._renewed, self._not_renewed, self._announced, self._proven),
        )
        if following is not None:
            self.client.renew(following)

    @property
    def trouble(self) -> str:
        """What somebody should do about the keys, or nothing."""
        return self._unusable or self._refused

    def look(self) -> None:
        """Take up a new key that `agent rotate-key` has made meanwhile, or that it was removed."""
        following = self._following()
        if following is None:
            if not self._unusable:
                self._asked, self._refused = None, ""
        elif following.public != self._asked:
            self._asked, self._refused = following.public, ""
            self.client.renew(following)

    def _following(self) -> KeyPair | None:
        """The agent's next key; one that cannot be used is told, and stops nothing."""
        self._unusable, found = "", None
        try:
            found = keys.next_pair(self._secrets, OWN)
        except (CommonGroundError, OSError) as error:
            self._unusable = (
                f"The agent's new key cannot be used, the old one stays in use: {error}; or remove"
                f" {self._secrets / 'agent.next.key'} and run `commonground agent rotate-key` again."
            )
        return found

    def _renewed(self, pair: KeyPair) -> None:
        """The hub speaks with the new key: it becomes the agent's own. May come twice."""
        if keys.promote_if(self._secrets, OWN, pair):
            self._log.info("key changed", fingerprint=keys.fingerprint(pair.public))
        self._asked, self._refused = None, ""

    def _not_renewed(self, reason: str) -> None:
        self._refused = (
            f"The hub does not take this agent's new key ({reason}); the old one stays in use. Remove"
            f" {self._secrets / 'agent.next.key'}, and tell the district's administrator."
        )

    def _announced(self, public: str) -> None:
        self._file.announced(public)
        self._log.info("hub key announced", fingerprint=keys.fingerprint(public) if public else "none")

    def _proven(self, public: str) -> None:
        self._file.proven(public)
        self._log.info("hub key changed", fingerprint=keys.fingerprint(public))
