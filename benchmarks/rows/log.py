"""Budget 2: from lines of a dnsmasq log to placements on one core, beside a Polars script."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, met, prose, times
from benchmarks.machine import WORK

DAYS: Final = {"quick": 1, "full": 10}
ROUNDS: Final = {"quick": 2, "full": 5}
BUSY: Final = 10  # look-ups for one of the demo's
# Laptop, phone and tablet, thirty days: blog-7075.pages.dev/posts/2021/my-dns-stats
HOME_QUERIES: Final = 270_563 / 3 / 30
WANTED: Final = 2.0


def measure(size: Size) -> Row:
    """The row."""
    demo = alone(__name__, "run", days=DAYS[size], rounds=ROUNDS[size], factor=1)
    busy = alone(__name__, "run", days=max(DAYS[size] // 2, 1), rounds=ROUNDS[size], factor=BUSY)
    ours, peer, ratio = (
        [_rates(found)[name] for found in (demo, busy)] for name in ("ours", "polars", "ratio")
    )
    return Row(
        name="log",
        budget="dnsmasq log line -> placement, one core: at least 2x a Polars script that parses and groups"
        " the same log",
        measured=f"{big(ours[0])} lines/s; of a busy network {big(ours[1])}",
        peer=f"Polars {big(peer[0])} lines/s; {big(peer[1])}",
        ratio=f"{times(ratio[0])}; {times(ratio[1])}",
        met=met(min(ratio) >= WANTED),
        notes=prose(
            f"""
            {demo["days"]} school days of a demo school as dnsmasq logs them ({demo["lines"]:,} lines,
            {demo["queries"]:,} of them queries, {demo["device_day"]:.0f} a device and day), and
            {busy["days"]} days with {BUSY} look-ups for each of these ({busy["lines"]:,} lines,
            {busy["device_day"]:.0f} a device and day; a published log of three devices at home has
            {HOME_QUERIES:,.0f}); by `agent replay`'s own pipeline; processor seconds of one thread on one
            core; roster, inventory and catalogue read before. The script finds {demo["lessons"]["polars"]}
            and {busy["lessons"]["polars"]} lessons, ours {demo["lessons"]["ours"]} and
            {busy["lessons"]["ours"]}: one regular expression on the lines that hold a query or a lease, joins
            by time to lease and lesson, contacts and devices counted by lesson and app
            ({demo["contacts"]["polars"]:,} and {busy["contacts"]["polars"]:,} contacts; ours
            {demo["contacts"]["ours"]:,} and {busy["contacts"]["ours"]:,}). It has no pseudonyms,
            counts no refused or unmatched line, and computes no dwell, no feature and no placement.
            """
        ),
        numbers={"demo": demo, "busy": busy, "rates": {"demo": _rates(demo), "busy": _rates(busy)}},
    )


def _rates(found: dict[str, Any]) -> dict[str, float]:
    """Lines a second of each contender, and how many times as fast ours is."""
    rate = {name: found["lines"] / median(seconds) for name, seconds in found["seconds"].items()}
    return {**rate, "ratio": rate["ours"] / rate["polars"]}


def run(days: int, rounds: int, factor: int) -> dict[str, Any]:
    """Seconds by round with `factor` look-ups for one of the demo's; called in a process of its own."""
    from datetime import datetime, time
    from zoneinfo import ZoneInfo

    from benchmarks.make.busy_log import school_log
    from benchmarks.make.schools import SEED, write_demo_school
    from benchmarks.peers.polars_log import school_tables, windows_of_log
    from demo.app_names import AppNames
    from demo.feed import Feed
    from demo.school import TIMEZONE, build_schools
    from demo.term import school_day
    from edge_agent.parts import Parts
    from edge_agent.replay.outcome import Replayed
    from edge_agent.replay.run import Replay
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
        text = school_log(feed, days, factor)
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
    queries = text.count(b" query[")
    return {
        "days": days,
        "lines": replayed.lines,
        "queries": queries,
        "device_day": queries / days / len(school.devices),
        "seconds": seconds,
        "contacts": {"ours": replayed.signals, "polars": int(last["polars"]["contacts"].sum())},
        "lessons": {
            "ours": replayed.lessons,
            "polars": last["polars"].select("class_id", "start").n_unique(),
        },
    }
