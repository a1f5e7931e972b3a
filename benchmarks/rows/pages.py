"""Budget 7: every kind of dashboard page over a district's years, beside a static file of the same server."""

import http.client
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.harness import Row, Size, median, met, percentile, prose, times
from benchmarks.machine import WORK
from benchmarks.make.district import Filled, fill
from benchmarks.make.hubs import make_hub, school_names
from benchmarks.processes import commonground, fetch, free_ports, module, running, until

SCHOOLS: Final = {"quick": 6, "full": 60}
YEARS: Final = {"quick": 1, "full": 3}
REQUESTS: Final = {"quick": 10, "full": 60}
WANTED_MS: Final = 100.0
USAGE: Final = Path("demo/usage")
STATIC: Final = "a static file"


def measure(size: Size) -> Row:
    """The row."""
    with TemporaryDirectory(dir=WORK) as name:
        found = _run(Path(name), size)
    p95 = {kind: percentile(taken, 0.95) for kind, taken in found["ms"].items()}
    middle = {kind: median(taken) for kind, taken in found["ms"].items()}
    kinds = [kind for kind in p95 if kind != STATIC]
    worst = max(kinds, key=lambda kind: p95[kind])
    every = [taken for kind in kinds for taken in found["ms"][kind]]
    listed = ", ".join(f"{kind} {middle[kind]:.0f} ({p95[kind]:.0f})" for kind in kinds)
    return Row(
        name="pages",
        budget="any dashboard page, 60 schools x 3 years: p95 under 100 ms",
        measured=f"worst p95 {p95[worst]:.0f} ms ({worst}); all pages p95 {percentile(every, 0.95):.0f} ms",
        peer=f"static file p95 {p95[STATIC]:.1f} ms",
        ratio=f"{times(p95[worst] / p95[STATIC])} its time",
        met=met(p95[worst] < WANTED_MS, whole=size == "full"),
        notes=prose(
            f"""
            {SCHOOLS[size]} schools, {YEARS[size]} school years, {found["records"]:,} records by the hub's
            own effects, and the usage exports of the demo; a real `hub run`, one reader, {REQUESTS[size]}
            requests a kind, each for another school or class where there are others. Median ms (p95):
            {listed}. The peer is a style sheet from the same server over the same connection: it reads no
            store, draws nothing and fills no template.
            """
        ),
        numbers={"median_ms": middle, "p95_ms": p95, **found},
    )


def _run(root: Path, size: Size) -> dict[str, Any]:
    names = school_names(SCHOOLS[size])
    port, link = free_ports(2)
    hub = make_hub(root / "hub", names, port, link)
    began = time.perf_counter()
    filled = fill(hub, names, YEARS[size])
    seconds = time.perf_counter() - began
    commonground("hub", "import-usage", str(hub.layout.folder), str(USAGE))
    command = module("benchmarks.ends.installed", "hub", "run", str(hub.layout.folder))
    with running(command, root / "hub.log") as process:
        front = until(lambda: fetch(f"http://127.0.0.1:{port}/"), "the hub's pages", alive=[process])
        kinds = _kinds(filled, front, port)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        taken: dict[str, list[float]] = defaultdict(list)
        for path in [next(paths) for paths in kinds.values()]:
            _ms(connection, path)
        for _ in range(REQUESTS[size]):
            for kind, paths in kinds.items():
                taken[kind].append(_ms(connection, next(paths)))
        connection.close()
        memory = process.resident_mib()[1]
    return {"ms": dict(taken), "records": filled.records, "fill_seconds": seconds, "hub_mib": memory}


def _kinds(filled: Filled, front: str, port: int) -> dict[str, Iterator[str]]:
    """Addresses of every kind of page, without end."""
    rng = random.Random(3)
    slugs = [f"/schools/{slug}" for slug in filled.slugs]
    classes = [f"/schools/{slug}/classes/{code}" for slug, code in filled.classes]
    usage = re.findall(r'href="(/usage/\d+)"', fetch(f"http://127.0.0.1:{port}/usage"))
    static = re.search(r'href="(/static/[^"]+\.css)"', front)
    assert usage and static

    def drawn(paths: list[str]) -> Iterator[str]:
        while True:
            yield from rng.sample(paths, len(paths))

    return {
        "district": drawn(["/"]),
        "school": drawn(slugs),
        "class": drawn(classes),
        "class, all lessons": drawn([f"{path}?lessons=all" for path in classes]),
        "lessons as CSV": drawn([f"{path}?data=lessons" for path in classes]),
        "usage": drawn(["/usage"]),
        "usage of a district": drawn(usage),
        "how": drawn(["/how"]),
        "API district": drawn(["/api/v1/district"]),
        "API school": drawn([path.replace("/schools", "/api/v1/schools") for path in slugs]),
        STATIC: drawn([static[1]]),
    }


def _ms(connection: http.client.HTTPConnection, path: str) -> float:
    """Milliseconds until the whole answer is here. Raises RuntimeError for anything but 200."""
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    taken = (time.perf_counter() - began) * 1000
    if answer.status != 200:
        raise RuntimeError(f"{path} answered {answer.status}")
    return taken
