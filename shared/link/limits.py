"""How much of everything a server allows: of a group, a peer, its connections, and what waits in memory."""

from dataclasses import dataclass, field
from typing import Final

from shared.link.quota import STRICT, Quota


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one commit takes, what a peer may ask for, and how stale the list of enrolments may be.

    `group_frames` bounds what is heard before a commit, so that talk without batches cannot put it off.
    An inbox that is `groups.Overlapping` has one group on its way to the disk while another is gathered.
    `joins_per_second`: requests to join of one key, and refusals that are answered in all.
    Of connections: `strangers` that have yet to say something under an enrolled key, `connections` in all
    (fewer where the system has no descriptors for them); seconds for a handshake, and for a stranger's first
    words after it. `queue`: frames of one connection that wait in memory, `answers`: for it.
    """

    group_batches: int = 256
    group_bytes: int = 1024 * 1024
    group_frames: int = 1024
    joins_per_second: float = 5.0
    enrolments_s: float = 0.5
    retry_ms: int = 1000
    quota: Quota = field(default_factory=Quota)
    strangers: int = 256
    connections: int = 4096
    handshakes_per_second: float = 5.0
    handshake_s: float = 5.0
    silent_s: float = 10.0
    queue: int = 16
    answers: int = 16


GUARDED: Final = Limits(queue=4, quota=STRICT)  # for peers that somebody else runs
