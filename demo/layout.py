"""What lies where in the demo's folder."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.errors import BusyError, SettingsError


@dataclass(frozen=True, slots=True)
class Layout:
    """One folder for everything: hub, schools, clock, state, logs."""

    root: Path

    @property
    def hub(self) -> Path:
        return self.root / "hub"

    @property
    def clock(self) -> Path:
        return self.root / "clock.json"

    @property
    def state(self) -> Path:
        return self.root / "state.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def agent(self, slug: str) -> Path:
        """A school's agent folder."""
        return self.root / "schools" / slug

    def resolver_log(self, slug: str) -> Path:
        """The log that a school's resolver writes and its agent follows."""
        return self.agent(slug) / "input" / "dnsmasq.log"

    def leases(self, slug: str) -> Path:
        """The lease file that a school's resolver keeps."""
        return self.agent(slug) / "input" / "dnsmasq.leases"

    def password(self, slug: str) -> Path:
        """The secret that apps show to a school's xAPI receiver."""
        return self.agent(slug) / "secrets" / "xapi_password"


@contextmanager
def held(layout: Layout) -> Iterator[None]:
    """The folder, made if need be, for this process alone; raises BusyError if a demo runs on it."""
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        lock = (layout.root / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"{layout.root} cannot be used: {error.strerror}; choose another --dir") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(
                f"a demo already runs on {layout.root}: stop it, or choose another --dir"
            ) from None
        yield
