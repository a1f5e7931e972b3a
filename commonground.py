"""The front door: `commonground agent|collect|hub|models|demo`; a room is imported only when asked for."""

import difflib
import importlib
import sys
from types import MappingProxyType
from typing import Final

from shared.errors import CommonGroundError

ROOMS: Final = MappingProxyType(
    {
        "agent": ("edge_agent.cli", "in the school: gather, close lessons, send records"),
        "collect": (
            "edge_agent.remote.collect",
            "in the school: read a source elsewhere, for the agent",
        ),
        "hub": ("hub.cli", "in the district: receive, compare, show"),
        "models": ("models.cli", "the scoring core: catalogue, models, features, scores"),
        "demo": ("demo.cli", "the whole main job on one machine, with simulated schools"),
    }
)

OWN: Final = frozenset({"", "shared", "models", "edge_agent", "hub", "demo"})

INTERRUPTED: Final = 130


def main() -> None:
    """Run the room that the first word names; every expected error is one line on standard error."""
    name = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if name not in ROOMS:
        _usage(name)
    try:
        room = importlib.import_module(ROOMS[name][0])
        code = room.app(args=sys.argv[2:], prog_name=f"commonground {name}", standalone_mode=False)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:
        explained = _explained(error)
        if explained is None:
            raise
        line, code = explained
        if line:
            _say_error(line)
    sys.exit(code)


def _explained(error: Exception) -> tuple[str, int] | None:
    """One line and an exit code; None for a fault of the program itself, which keeps its traceback."""
    if isinstance(error, CommonGroundError):
        return str(error), error.exit_code
    if isinstance(error, ModuleNotFoundError):
        if (error.name or "").partition(".")[0] in OWN:
            return None
        extra = "install the extras of this command, for example `pipx install commonground[hub]`"
        return f"`{error.name}` is not installed: {extra}", 1
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename is not None else ""
        why = error.strerror or type(error).__name__
        return f"{where}{why}; check that the path exists, that you may use it, and the free space", 1
    return _usage_error(error) or _database_error(error)


def _usage_error(error: Exception) -> tuple[str, int] | None:
    import typer

    if isinstance(error, typer.Abort):
        return "aborted", 1
    if not isinstance(error, typer.TyperException):
        return None
    said = error.format_message().strip()
    if not said:  # a room without a word prints its help by itself
        return "", error.exit_code
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "commonground"
    end = "" if said.endswith("?") else ";"
    return f"{said.rstrip('.')}{end} `{command} --help` tells how to call it", error.exit_code


def _database_error(error: Exception) -> tuple[str, int] | None:
    import sqlite3

    # Its other errors mean a wrong statement or a wrong call: faults of the program.
    if type(error) not in {sqlite3.OperationalError, sqlite3.DatabaseError}:
        return None
    what_to_do = "see that no other program holds it and that the disk has room, or restore it from a backup"
    return f"the folder's database cannot be used ({error}): {what_to_do}", 1


def _usage(name: str) -> None:
    if name not in {"--help", "-h", "help"}:
        near = difflib.get_close_matches(name, ROOMS, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(ROOMS)};"
        _say_error(f"unknown command `{name}`; {hint} `commonground --help` tells more")
        sys.exit(2)
    lines = ["Usage: commonground COMMAND [ARGS]...", ""]
    lines += [f"  {room:<8} {what}" for room, (_, what) in ROOMS.items()]
    lines += ["", "`commonground COMMAND --help` tells more of each."]
    print("\n".join(lines))  # noqa: T201 - the answer of a command line
    sys.exit(0)


def _say_error(line: str) -> None:
    print(f"error: {' '.join(line.splitlines())}", file=sys.stderr)  # noqa: T201 - where errors are said


if __name__ == "__main__":
    main()
