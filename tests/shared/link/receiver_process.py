"""A receiver to be killed: `... -m tests.shared.link.receiver_process FILE ADDRESS KEYS SENDER_PUBLIC`.

Prints its endpoint, then receives until the end of standard input.
"""

import sys
from pathlib import Path

from shared.link.keys import load_or_create
from shared.link.server import LinkServer
from tests.shared.link.site import Site


def main(file: str, address: str, folder: str, sender_public: str) -> None:
    """Run until told to end, or killed."""
    site = Site(Path(file), {sender_public: "school"})
    server = LinkServer(address, load_or_create(Path(folder), "receiver"), site)
    server.start()
    sys.stdout.write(f"{server.endpoint}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()
    site.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
