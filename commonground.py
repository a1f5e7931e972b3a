"""The front door: `commonground agent|hub|models|demo`. Each room is imported only when it is asked for."""

import importlib
import sys
from types import MappingProxyType
from typing import Final

from shared.errors import CommonGroundError

ROOMS: Final = MappingProxyType(
    {
        "agent": ("edge_agent.cli", "in the school: gather, close lessons, send records"),
        "hub": ("hub.cli", "in the district: receive, compare, show"),
        "models": ("models.cli", "the scoring core: catalogue, models, features, scores"),
        "demo": ("demo.cli", "the whole main job on one machine, with simulated schools"),
    }
)

OWN: Final = frozenset({"", "shared", "models", "edge_agent", "hub", "demo"})


def main() -> None:
    """Run the room that the first word names; every expected error is one line on standard error."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name not in ROOMS:
        _usage(name)
    try:
        room = importlib.import_module(ROOMS[name][0])
        room.app(args=sys.argv[2:], prog_name=f"commonground {name}")
    except CommonGroundError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in OWN:
            raise
        extra = "install the extras of this command, for example `pipx install commonground[hub]`"
        print(f"error: `{error.name}` is not installed: {extra}", file=sys.stderr)  # noqa: T201
        sys.exit(1)


def _usage(name: str) -> None:
    asked = name in {"--help", "-h", "help"}
    lines = [] if asked else [f"error: unknown command `{name}`", ""]
    lines += ["Usage: commonground COMMAND [ARGS]...", ""]
    lines += [f"  {room:<8} {what}" for room, (_, what) in ROOMS.items()]
    lines += ["", "`commonground COMMAND --help` tells more of each."]
    print("\n".join(lines), file=sys.stdout if asked else sys.stderr)
    sys.exit(0 if asked else 2)


if __name__ == "__main__":
    main()
