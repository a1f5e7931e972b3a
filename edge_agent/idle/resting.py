"""What one source's devices ask for while the school sleeps: counted by app, with no device behind it."""

from typing import Final

from edge_agent.placing.parcel import Idle
from edge_agent.placing.placer import Rest

EPISODE_SECONDS: Final = 600  # one refresh asks for several names: within this time it counts once
KEPT: Final = 50_000


class IdleCount:
    """One source's counts. Who asked is known in memory only; after a new start devices count once more."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, int, str], int] = {}
        self._new: dict[tuple[str, float], dict[int, tuple[int, int]]] = {}

    def note(self, rest: Rest, app: int, t: int) -> None:
        """A device at rest asked for a name of the app (index; 0: unlisted) at `t` (seconds UTC)."""
        key = (rest.device, app, rest.day)
        last = self._last.get(key)
        if last is not None and abs(t - last) < EPISODE_SECONDS:
            return
        if len(self._last) >= KEPT:
            self._last = {}
        self._last[key] = t
        counts = self._new.setdefault((rest.day, rest.hours), {})
        contacts, devices = counts.get(app, (0, 0))
        counts[app] = contacts + 1, devices + (last is None)

    def tell(self) -> list[Idle]:
        """What came since it was told last."""
        told = [Idle(day, hours, counts) for (day, hours), counts in self._new.items()]
        self._new = {}
        return told

    def forget(self) -> None:
        """Reading begins anew at the position that was accepted last."""
        self._last, self._new = {}, {}
