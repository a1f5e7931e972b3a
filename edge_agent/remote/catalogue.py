"""On a collector: the agent's catalogue, put together from the shipped one and what the agent tells."""

import time
from collections.abc import Callable
from typing import Final

from edge_agent.remote.telling import CATALOGUE, SETUP, decode_setup
from models.catalogue.layers import decode_layers, merged
from models.catalogue.load import Catalogue, load_catalogue
from shared.errors import BadInput, CommonGroundError, SettingsError

LOOK_SECONDS: Final = 60.0


class AgentCatalogue:
    """`ask` is the link's, `version` what the agent said that it has; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        ask: Callable[[str], bytes | None],
        version: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._version = version
        self._clock = clock
        self._next = clock() + LOOK_SECONDS

    def load(self) -> Catalogue:
        """The agent's catalogue. Raises SettingsError where the two programs do not ship the same one."""
        shipped = load_catalogue()
        if shipped.version == self._version:
            return shipped
        data = self._ask(CATALOGUE)
        try:
            found = shipped if not data else merged(shipped, decode_layers(data))
        except BadInput as error:
            raise SettingsError(f"the agent's catalogue cannot be read ({error.reason})") from None
        if found.version != self._version:
            raise SettingsError(
                f"the agent has catalogue {self._version}, this collector {found.version}:"
                " install the same version of commonground on both"
            )
        return found

    def look(self) -> Catalogue | None:
        """Now and then: another catalogue that the agent has gone over to, else None. Raises nothing."""
        if self._clock() < self._next:
            return None
        self._next = self._clock() + LOOK_SECONDS
        before = self._version
        try:
            data = self._ask(SETUP)
            if data is None or (said := decode_setup(data).catalogue) == before:
                return None
            self._version = said
            return self.load()
        except (BadInput, CommonGroundError):  # what was in use stays so: an index keeps what it means
            self._version = before
            return None
