"""What the demo remembers between runs: `state.json`, replaced whole."""

from pathlib import Path

import msgspec

from shared.errors import SettingsError


class SchoolState(msgspec.Struct):
    """One school: its shared classes, and how much of its log belongs to instants before `reached`."""

    shared: list[str] = msgspec.field(default_factory=list)
    log_bytes: int = 0
    posted: int = 0


class State(msgspec.Struct):
    """The whole demo. `reached`: everything before this instant (seconds UTC) is written.

    `writing` is later while a run writes, or after it was cut off: the next one then first completes
    that. A school's `posted` counts statements that its receiver took since `reached`.
    """

    seed: int
    reached: int
    writing: int = 0
    ports: dict[str, int] = msgspec.field(default_factory=dict)
    schools: dict[str, SchoolState] = msgspec.field(default_factory=dict)
    usage_imported: bool = False


def load_state(path: Path) -> State | None:
    """The state, or None in a new folder; raises SettingsError if the file is broken."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise SettingsError(f"{path} cannot be used ({error}): remove the folder and start anew") from None


def save_state(path: Path, state: State) -> None:
    """Replace the file by this state."""
    draft = path.with_suffix(".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=2))
    draft.replace(path)
