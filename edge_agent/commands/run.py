"""`agent run`: the running agent."""

import signal

from edge_agent.commands.common import Folder


def run(folder: Folder) -> None:
    """Run until stopped (Ctrl-C, SIGTERM)."""
    from edge_agent.agent import Agent
    from shared import logs

    logs.to_stderr()
    agent = Agent(folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
