"""Beside budget 2: lines of other programs' logs to signals, beside Polars scripts that parse and group."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, prose, times
from benchmarks.machine import WORK

DAYS: Final = {"quick": 1, "full": 4}
ROUNDS: Final = {"quick": 2, "full": 5}

# Time, address and name as one expression finds them.
PATTERNS: Final = {
    "unbound": r"^\[(?<t>\d+)\] .* info: (?<address>\S+) (?<name>\S+) (?:A|AAAA|HTTPS) IN$",
    "bind": r"^(?<t>\S+)\.\d+Z .*client \S+ (?<address>[^#]+)#\d+ .*query: (?<name>\S+) IN (?:A|AAAA|HTTPS) ",
    "adguard": r'"T":"(?<t>[^.]+)[^"]*","QH":"(?<name>[^"]*)".*"IP":"(?<address>[^"]*)"',
    "squid": r"^(?<t>\d+)\.\d+ +\d+ (?<address>\S+) TCP_\S+ \d+ CONNECT (?<name>[^ :]+)",
    "zeek": r"^(?<t>\d+)\.\d+\t[^\t]*\t(?<address>[^\t]*)\t(?:[^\t]*\t){4}(?<name>[^\t]*)\t",
}


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", days=DAYS[size], rounds=ROUNDS[size])
    rate = {
        kind: {name: found["lines"] / median(one) for name, one in seconds.items()}
        for kind, seconds in found["seconds"].items()
    }
    return Row(
        name="sources",
        budget="lines of other resolvers', proxies' and sensors' logs to signals, one core",
        measured=", ".join(f"{kind} {big(one['ours'])}" for kind, one in rate.items()) + " lines/s",
        peer="Polars " + ", ".join(f"{kind} {big(one['polars'])}" for kind, one in rate.items()) + " lines/s",
        ratio=", ".join(times(one["ours"] / one["polars"]) for one in rate.values()),
        met="no target",
        notes=prose(
            f"""
            {found["lines"]:,} queries of a demo school, as each program logs them. Ours: parsed, placed into
            lessons under the day's pseudonyms, matched, counted by reason. The script: one regular
            expression, names matched once each, contacts counted by address, app and hour; it knows no
            lessons, no leases and no pseudonyms, and counts no line that it cannot read.
            """
        ),
        numbers={"rates": rate, **found},
    )


def run(days: int, rounds: int) -> dict[str, Any]:
    """Seconds of each contender by kind and round; called in a process of its own."""
    from datetime import datetime, time
    from zoneinfo import ZoneInfo

    from benchmarks.make.other_logs import log_of, queries
    from benchmarks.make.schools import SEED, write_demo_school
    from demo.app_names import AppNames
    from demo.feed import Feed
    from demo.school import TIMEZONE, build_schools
    from demo.term import school_day
    from edge_agent.parts import Parts, parser
    from edge_agent.placing.daykeys import MemoryKeys
    from edge_agent.settings import load_settings
    from edge_agent.sources.dnsmasq_columns import DnsmasqReader
    from edge_agent.sources.facts import Lease
    from edge_agent.sources.logfile import pieces
    from edge_agent.sources.logtime import LogTime
    from models.catalogue.load import load_catalogue
    from models.catalogue.match import NameMatcher

    catalogue = load_catalogue()
    school = build_schools(SEED)[1]
    zone = ZoneInfo(TIMEZONE)
    now = datetime.combine(school_day(days), time(), zone).timestamp()
    codes = {section.sourced_id: f"class{i}" for i, section in enumerate(school.sections)}
    feed = Feed(school, zone, catalogue, AppNames(catalogue))
    text = b"".join(b"".join(feed.day(school_day(number)).blocks) for number in range(days))
    log_times = LogTime(zone, year=school_day(0).year)
    leases = [fact for fact in DnsmasqReader()(text, log_times).facts if isinstance(fact, Lease)]
    asked = queries(text, log_times)
    seconds = {}
    with TemporaryDirectory(dir=WORK) as name:
        root = Path(name)
        folder = write_demo_school(root / "school", school)
        for kind, pattern in PATTERNS.items():
            log = root / kind
            log.write_bytes(log_of(kind, asked))

            def ours(kind: str = kind, log: Path = log) -> float:
                parts = Parts.load(folder, load_settings(folder))
                parse, collector = parser(kind, zone), parts.collector(kind, "s", MemoryKeys(), codes)
                collector.learn(leases)

                def work() -> int:
                    with log.open("rb") as file:
                        found = [
                            collector.gather(parse(piece, now), now) for piece in pieces(file.read, 1 << 20)
                        ]
                    return sum(len(batch) for _, batches in found for batch in batches)

                return process_seconds(work)

            def polars(pattern: str = pattern, log: Path = log) -> float:
                matcher = NameMatcher(catalogue)
                return process_seconds(lambda: _grouped(log, pattern, matcher))

            seconds[kind] = interleaved(rounds, {"ours": ours, "polars": polars})
    return {"days": days, "lines": len(asked), "seconds": seconds}


def _grouped(log: Path, pattern: str, matcher: Any) -> Any:
    import polars as pl

    lines = pl.read_csv(
        log, has_header=False, new_columns=["line"], separator="\x01", quote_char=None, encoding="utf8-lossy"
    )
    found = (
        lines.select(pl.col("line").str.extract_groups(pattern).alias("parts")).unnest("parts").drop_nulls()
    )
    if not found["t"][0].isdigit():
        found = found.with_columns(pl.col("t").str.to_datetime("%Y-%m-%dT%H:%M:%S").dt.epoch("s"))
    names = found["name"].unique()
    apps = pl.DataFrame({"name": names, "app": [matcher.match(name) for name in names]})
    return (
        found.with_columns(hour=pl.col("t").cast(pl.Int64) // 3600)
        .join(apps, on="name")
        .filter(pl.col("app") >= 0)
        .group_by("address", "app", "hour")
        .len()
    )
