"""Beside the budgets: xAPI statements to facts on one core, beside the parsing of PyPI's Ralph."""

from pathlib import Path
from typing import Any, Final

from benchmarks.alone import alone, process_seconds
from benchmarks.harness import Row, Size, big, interleaved, median, prose, times

STATEMENTS: Final = {"quick": 3_000, "full": 20_000}
ROUNDS: Final = {"quick": 2, "full": 5}
SAMPLE: Final = Path(__file__).parents[2] / "tests/edge_agent/recorded/xapi/video_statements.jsonl"


def measure(size: Size) -> Row:
    """The row."""
    found = alone(__name__, "run", number=STATEMENTS[size], rounds=ROUNDS[size])
    rate = {name: found["statements"] / median(seconds) for name, seconds in found["seconds"].items()}
    return Row(
        name="statements",
        budget="xAPI statements parsed and checked, to facts, one core: beside the parsing of ralph-malph",
        measured=f"{big(rate['ours'])} statements/s",
        peer=f"ralph-malph {big(rate['ralph'])} statements/s",
        ratio=times(rate["ours"] / rate["ralph"]),
        met="no target",
        notes=prose(
            f"""
            {found["statements"]:,} statements of a video course, one a line ({found["bytes"]:,} bytes), each
            with an id of its own; processor seconds of one thread on one core. Ours reads them as
            `agent replay --source xapi` does: JSON with no key twice, every rule of the standard for every
            part, ids remembered, verbs and hosts looked up ({found["facts"]:,} are facts, the others have
            verbs of no use). Ralph validates the same lines by its base model of a statement, from
            `json.loads`, which is the quicker of its two ways, and keeps all of it; it lets a key stand twice
            and looks nothing up.
            """
        ),
        numbers={"rates": rate, **found},
    )


def run(number: int, rounds: int) -> dict[str, Any]:
    """Seconds of each contender by round; called in a process of its own."""
    from zoneinfo import ZoneInfo

    from benchmarks.peers.ralph_statements import parse
    from edge_agent.sources.logtime import LogTime
    from edge_agent.sources.xapi import StatementReader
    from edge_agent.sources.xapi_lines import StatementLines
    from models.catalogue.load import load_catalogue
    from models.catalogue.match import NameMatcher

    lines = _lines(number)
    chunks = [b"\n".join(lines[at : at + 40]) + b"\n" for at in range(0, number, 40)]
    catalogue = load_catalogue()
    reader = StatementReader(catalogue, NameMatcher(catalogue))
    times_ = LogTime(ZoneInfo("Europe/Zurich"))
    last = {"facts": 0, "lines": 0, "taken": 0}

    def ours() -> float:
        read = StatementLines(reader)

        def work() -> None:
            readings = [read(chunk, times_) for chunk in chunks]
            last["facts"] = sum(len(reading.facts) for reading in readings)
            last["lines"] = last["facts"] + sum(sum(one.passed_over.values()) for one in readings)

        return process_seconds(work)

    def ralph() -> float:
        def work() -> None:
            last["taken"] = parse(lines)

        return process_seconds(work)

    seconds = interleaved(rounds, {"ours": ours, "ralph": ralph})
    assert last["lines"] == last["taken"] == number, "both take every statement"
    return {
        "statements": number,
        "bytes": sum(map(len, lines)),
        "facts": last["facts"],
        "seconds": seconds,
    }


def _lines(number: int) -> list[bytes]:
    """The sample again and again, each time with other ids."""
    import json
    import uuid

    sample = [json.loads(line) for line in SAMPLE.read_bytes().splitlines()]
    return [
        json.dumps(sample[at % len(sample)] | {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(at)))}).encode()
        for at in range(number)
    ]
