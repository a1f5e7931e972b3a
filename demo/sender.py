"""Posts statements to an agent's xAPI receiver in batches, and again while it is busy, as apps do."""

import base64
import http.client
import time
from collections.abc import Callable, Sequence
from typing import Final

from demo.ports import LOOPBACK
from shared.errors import CommonGroundError

BATCH: Final = 200
PATIENCE_SECONDS: Final = 60.0
_PATH: Final = "/xAPI/statements"
_BUSY: Final = frozenset({429, 503})
_TAKEN: Final = frozenset({200, 204})


class Sender:
    """One sender's connection to one receiver. `pause(seconds)` waits, or raises if the demo must end."""

    def __init__(self, school: str, port: int, password: str, pause: Callable[[float], None]) -> None:
        self._school = school
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PATIENCE_SECONDS)
        token = base64.b64encode(f"apps:{password}".encode()).decode()
        self._headers = {
            "Authorization": f"Basic {token}",
            "Content-Type": "application/json",
            "X-Experience-API-Version": "1.0.3",
        }
        self._pause = pause

    def send(self, statements: Sequence[bytes], taken: Callable[[int], None]) -> None:
        """Post statements in batches; after each, `taken` is told how many were taken by now.

        Raises CommonGroundError if the receiver refuses a batch or stays busy for a minute.
        """
        for start in range(0, len(statements), BATCH):
            batch = statements[start : start + BATCH]
            status = self._post(b"[" + b",".join(batch) + b"]")
            if status not in _TAKEN:
                raise CommonGroundError(
                    f"the xAPI receiver of {self._school} answered {status} to valid statements: see its log"
                )
            taken(start + len(batch))

    def send_broken(self, statement: bytes) -> int:
        """Post one statement that breaks the specification; the receiver's status."""
        return self._post(statement)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _post(self, body: bytes) -> int:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            status = self._try(body)
            if status is not None and status not in _BUSY:
                return status
            if time.monotonic() > end:
                state = "is not reachable" if status is None else "stays busy"
                raise CommonGroundError(f"the xAPI receiver of {self._school} {state}: see its log")
            self._pause(0.1)

    def _try(self, body: bytes) -> int | None:
        try:
            self._connection.request("POST", _PATH, body, self._headers)
            response = self._connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return None
        return response.status
