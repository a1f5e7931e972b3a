"""What a replay came to, and what to do where it came to nothing."""

from collections import Counter
from dataclasses import dataclass, field

from edge_agent.sight.blind_spot import Sight


@dataclass(slots=True)
class Replayed:
    """What a replay came to: how many records, and counts of everything that was not used."""

    records: int = 0
    lines: int = 0
    signals: int = 0
    lessons: int = 0
    sight: Sight = field(default_factory=Sight)
    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def count(self, what: str, reason: str, number: int = 1) -> None:
        """Add to a reason."""
        self.counts.setdefault(what, Counter())[reason] += number


def advice(done: Replayed) -> str:
    """What to do when a replay found no lesson, in one sentence."""
    if not done.lines:
        return "The log holds no lines: check that the resolver writes its queries there (`log-queries`)."
    unmatched = done.counts.get("unmatched", Counter())
    if done.counts.get("refused", Counter()).total() >= done.lines:
        return "No line could be read: check that --source names the program that wrote this log."
    if done.counts.get("outside", Counter())["outside_lessons"] > unmatched.total():
        return (
            "Nothing fell into a lesson: has every class its period (`agent check` tells)? Then look at the"
            " bells, the time zone, the days that the log has, and --year."
        )
    if unmatched["no_lease"]:
        return "No address could be matched: add `log-dhcp` to the resolver, or give `leases` in agent.toml."
    if unmatched.total():
        return "Devices were seen that no class claims: check inventory and roster, reason by reason above."
    return "Nothing fell into a lesson: check the bell schedule, the time zone, and --year."
