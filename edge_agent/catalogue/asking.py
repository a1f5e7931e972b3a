"""Asks the district's hub, now and then, for its entries of the catalogue, and keeps what is sound."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from edge_agent.catalogue.in_use import district_file
from edge_agent.paths import AgentFolder
from models.catalogue.overlay import decode_district
from shared import files
from shared.errors import BadInput, CommonGroundError

CATALOGUE: Final = "catalogue"
PATIENCE_SECONDS: Final = 20.0
EVERY_SECONDS: Final = 600.0


class DistrictAsker:
    """From `start` to `stop` in a thread of its own; `ask` is the link's."""

    def __init__(
        self, folder: AgentFolder, ask: Callable[[str, float], bytes | None], every: float = EVERY_SECONDS
    ) -> None:
        self._file = district_file(folder)
        self._ask = ask
        self._every = every
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="district catalogue", daemon=True)
        self._log = structlog.get_logger("agent")

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. A question that is under way ends when its link is stopped."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._stopping.wait(self._every if self.look() else PATIENCE_SECONDS)

    def look(self) -> bool:
        """Ask once; whether there was an answer, be it that the district says nothing."""
        try:
            data = self._ask(CATALOGUE, PATIENCE_SECONDS)
        except (TimeoutError, CommonGroundError):
            return False
        try:
            if data is not None and not (self._file.exists() and self._file.read_bytes() == data):
                said = decode_district(data)
                files.replace(self._file, data)
                self._log.info("district catalogue", number=said.number, version=said.version)
        except (BadInput, CommonGroundError, OSError) as error:
            self._log.error("district catalogue refused", why=str(error))
        return True
