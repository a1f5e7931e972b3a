"""What one export says of one device, before the exports are put together."""

from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One device in one file; what the file does not say is empty.

    `users` are all names that it gives the learner, the best first. `shown` is the row for its shape alone.
    """

    file: Path
    line: int
    serial: str
    hardware: str | None
    users: tuple[str, ...] = ()
    room: str = ""
    opted_out: bool = False
    shared: bool = False
    shown: str = ""

    def with_more(self, other: "Entry") -> "Entry":
        """Completed by what another file says of the same device; who opted out anywhere has opted out."""
        return replace(
            self,
            hardware=self.hardware or other.hardware,
            users=self.users or other.users,
            room=self.room or other.room,
            opted_out=self.opted_out or other.opted_out,
            shared=self.shared or other.shared,
        )
