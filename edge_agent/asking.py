"""Asking the running agent how it is, over its own page."""

from http.client import HTTPException
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import msgspec

from edge_agent.pages.shape import AgentStatus
from edge_agent.settings import AgentSettings
from shared.errors import CommonGroundError

LARGEST: Final = 16 * 1024 * 1024
PATIENCE: Final = 5.0


def ask(settings: AgentSettings, folder: Path) -> tuple[bytes, AgentStatus]:
    """The state of the agent of these settings as it said it (JSON), and as a checked shape.

    Raises CommonGroundError when nobody answers on its port, or somebody else does.
    """
    port = settings.page.port
    try:
        said = _read(port)
        found = msgspec.json.decode(said, type=AgentStatus)
    except (HTTPError, HTTPException, msgspec.MsgspecError, ValueError, RecursionError):
        raise CommonGroundError(
            f"what answers on port {port} is no agent of this version: stop it, or change [page] port"
        ) from None
    except OSError:
        raise CommonGroundError(
            f"no agent answers on port {port}: start it with `commonground agent run {folder}`"
        ) from None
    if found.school != settings.school:
        raise CommonGroundError(f"port {port} answers for another folder: change [page] port")
    return said, found


def _read(port: int) -> bytes:
    # A proxy that the environment names has no part in what this machine says to itself.
    opener = build_opener(ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}/status.json", timeout=PATIENCE) as answer:
        return bytes(answer.read(LARGEST))
