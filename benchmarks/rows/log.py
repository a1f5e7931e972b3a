"""Budget 2: from lines of a dnsmasq log to placements on one core, beside a Polars script."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times
from benchmarks.machine import WORK

DAYS: Final = {"quick": 1, "full": 10}
ROUNDS: Final = {"quick": 2, "full": 5}
WANTED: Final = 2.0


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", days=DAYS[size], rounds=ROUNDS[size])
    rate = {name: found["lines"] / median(seconds) for name, seconds in found["seconds"].items()}
    return Row(
        name="log",
        budget="dnsmasq log line -> placement, one core: at least 2x a Polars script that parses and groups"
        " the same log",
        measured=f"{big(rate['ours'])} lines/s",
        peer=f"Polars {big(rate['polars'])} lines/s",
        ratio=times(rate["ours"] / rate["polars"]),
        met=met(rate["ours"] >= WANTED * rate["polars"]),
        notes=prose(
            f"""
            {found["days"]} school days of a demo school as dnsmasq logs them ({found["lines"]:,} lines,
            {found["queries"]:,} of them queries), by `agent replay`'s own pipeline; processor seconds of one
            thread on one core; roster, inventory and catalogue read before. The script finds
            {found["lessons"]["polars"]} lessons, ours {found["lessons"]["ours"]}: one regular expression on
            the lines that hold a query or a lease, joins by time to lease and lesson, contacts and devices
            counted by lesson and app ({found["contacts"]:,} contacts). It has no pseudonyms, counts no
            refused or unmatched line, and computes no dwell, no feature and no placement.
            """
        ),
        numbers={"rates": rate, **found},
    )


def run(days: int, rounds: int) -> dict[str, Any]:
    """Seconds of each contender by round; called in a process of its own."""
    from datetime import datetime, time
    from zoneinfo import ZoneInfo

    from benchmarks.make.schools import SEED, write_demo_school
    from benchmarks.peers.polars_log import school_tables, windows_of_log
    from demo.app_names import AppNames
    from demo.feed import Feed
    from demo.school import TIMEZONE, build_schools
    from demo.term import school_day
    from edge_agent.parts import Parts
    from edge_agent.replay import Replay
    from edge_agent.replayed import Replayed
    from edge_agent.settings import load_settings
    from models.catalogue.load import load_catalogue
    from models.catalogue.match import NameMatcher

    catalogue = load_catalogue()
    school = build_schools(SEED)[1]
    zone = ZoneInfo(TIMEZONE)
    year = school_day(0).year
    now = datetime.combine(school_day(days), time(), zone).timestamp()
    with TemporaryDirectory(dir=WORK) as name:
        root = Path(name)
        folder = write_demo_school(root / "school", school)
        log = root / "dnsmasq.log"
        feed = Feed(school, zone, catalogue, AppNames(catalogue))
        text = b"".join(b"".join(feed.day(school_day(number)).blocks) for number in range(days))
        log.write_bytes(text)
        codes = {section.sourced_id: f"class{i}" for i, section in enumerate(school.sections)}
        tables = school_tables(
            root / "school" / "input", [school_day(number).isoformat() for number in range(days)], TIMEZONE
        )
        last: dict[str, Any] = {}

        def ours() -> float:
            replay = Replay(Parts.load(folder, load_settings(folder)), codes, "dnsmasq", year)

            def work() -> None:
                last["ours"] = replay.run([log], now)

            return process_seconds(work)

        def polars() -> float:
            matcher = NameMatcher(catalogue)

            def work() -> None:
                last["polars"] = windows_of_log(log, tables, year, TIMEZONE, matcher.match)

            return process_seconds(work)

        seconds = interleaved(rounds, {"ours": ours, "polars": polars})
    replayed: Replayed = last["ours"]
    return {
        "days": days,
        "lines": replayed.lines,
        "queries": text.count(b" query["),
        "seconds": seconds,
        "contacts": int(last["polars"]["contacts"].sum()),
        "lessons": {
            "ours": replayed.lessons,
            "polars": last["polars"].select("class_id", "start").n_unique(),
        },
    }
