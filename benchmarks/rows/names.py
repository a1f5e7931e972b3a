"""Beside budget 2: host names matched by suffix, each of them new, and as a log repeats them."""

import random
from typing import Any, Final

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose

NAMES: Final = {"quick": 60_000, "full": 300_000}
ROUNDS: Final = {"quick": 3, "full": 7}
BATCH: Final = 1_000  # names that are new in a piece of a large log: hundreds to some thousands
WANTED: Final = 1e6
LISTED: Final = 0.4  # of the names in a school's log about so many
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_ENDS: Final = ("com", "net", "org", "ch", "de", "co.uk")


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", names=NAMES[size], rounds=ROUNDS[size])
    rate = {name: found["names"] / median(seconds) for name, seconds in found["seconds"].items()}
    return Row(
        name="names",
        budget="host names matched by suffix, one core: a million a second",
        measured=f"""{big(rate["new"])} names/s all new ({big(rate["one by one"])} one by one), """
        f"""{big(rate["repeated"])} names/s as a log repeats them""",
        peer="none",
        ratio="-",
        met=met(rate["new"] >= WANTED),
        notes=prose(
            f"""
            {found["names"]:,} names, {found["listed"]:.0%} of them listed or background, against
            {found["suffixes"]:,} suffixes. New: no name comes twice, so that nothing remembered helps;
            {BATCH:,} are matched together, as columns of a log bring them, or one by one, as page visits and
            small readings do. Repeated: one by one, drawn from 3,000 of them, which were all seen before; a
            log of a school has fewer.
            """
        ),
        numbers={"rates": rate, **found},
    )


def run(names: int, rounds: int) -> dict[str, Any]:
    """Seconds of each load by round; called in a process of its own."""
    from models.catalogue.load import load_catalogue
    from models.catalogue.match import UNLISTED, NameMatcher

    catalogue = load_catalogue()
    suffixes = [*(domain for app in catalogue.apps for domain in app.domains), *catalogue.background]
    chance = random.Random(20261122)

    def label() -> str:
        return "".join(chance.choices(_LETTERS, k=chance.randint(2, 10)))

    def make() -> str:
        if chance.random() < LISTED:
            return f"{label()}{len(made)}.{chance.choice(suffixes)}"
        labels = [label() for _ in range(chance.randint(1, 3))]
        return ".".join((f"{label()}{len(made)}", *labels, chance.choice(_ENDS)))

    made: list[str] = []
    while len(made) < names:
        made.append(make())
    few = chance.choices(made[:3000], k=names)
    seen = NameMatcher(catalogue)
    listed = sum(seen.match(name) != UNLISTED for name in made) / names
    for name in few:
        seen.match(name)

    batches = [made[begin : begin + BATCH] for begin in range(0, names, BATCH)]

    def new() -> float:
        match_all = NameMatcher(catalogue).match_all
        return process_seconds(lambda: [match_all(batch) for batch in batches])

    def one_by_one() -> float:
        match = NameMatcher(catalogue).match
        return process_seconds(lambda: [match(name) for name in made])

    def repeated() -> float:
        match = seen.match
        return process_seconds(lambda: [match(name) for name in few])

    seconds = interleaved(rounds, {"new": new, "one by one": one_by_one, "repeated": repeated})
    return {"names": names, "suffixes": len(suffixes), "listed": listed, "seconds": seconds}
