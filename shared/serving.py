"""A web application in a thread, on this machine only; its port is taken before anything starts."""

import socket
import threading
import time
from typing import Any, Final

import uvicorn

from shared.errors import BusyError

LOOPBACK: Final = "127.0.0.1"


def loopback_socket(port: int, elsewhere: str = "choose another") -> socket.socket:
    """A listening socket on loopback, port 0 for a free one; raises BusyError when the port is taken.

    `elsewhere` says how to choose another port.
    """
    # Named in full, or asyncio would not switch Nagle's delay off and small answers would wait 40 ms.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((LOOPBACK, port))
        found.listen()
    except OSError as error:
        found.close()
        raise BusyError(
            f"port {port} cannot be used ({error.strerror}): stop what uses it, or {elsewhere}"
        ) from None
    return found


class WebServer:
    """Serves an ASGI application until `stop`."""

    def __init__(self, app: Any, port: int, name: str) -> None:
        self._socket = loopback_socket(port)
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name=f"web:{name}", daemon=True)

    def start(self) -> None:
        """Serve; returns once requests are answered."""
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)  # uvicorn tells of its start by a flag only

    def stop(self) -> None:
        """Stop serving; open requests have a second."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])
