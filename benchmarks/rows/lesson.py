"""Budget 8: from the end of a lesson's grace to the lesson on the hub's page, under the demo's load."""

import itertools
import json
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.clock import Clock
from benchmarks.harness import Row, Size, median, met, percentile, prose, times
from benchmarks.machine import WORK
from benchmarks.make.records import Records
from benchmarks.make.town import ZONE, Lesson, Town, make_town
from benchmarks.processes import DEADLINE, fetch, free_ports, module, running, until
from demo.term import beginning, school_day
from shared.records import encode
from shared.storage import reader

BELLS: Final = {"quick": 2, "full": 10}
GRACE: Final = 15 * 60
WANTED_S: Final = 15.0
LOOK_EACH_S: Final = 0.05
LOOKS_A_STATUS: Final = 10


def measure(size: Size) -> Row:
    """The row."""
    with TemporaryDirectory(dir=WORK) as name:
        found = _run(Path(name), BELLS[size])
    ours, plain = found["ours_s"], found["plain_s"]
    return Row(
        name="lesson",
        budget="a lesson on the hub's page after its window closed, demo load: 15 s",
        measured=f"{median(ours):.1f} s (p95 {percentile(ours, 0.95):.1f} s, longest {max(ours):.1f} s)",
        peer=f"posted to a plain site {median(plain) * 1000:.0f} ms",
        ratio=f"{times(median(ours) / median(plain))} its time",
        met=met(percentile(ours, 0.95) <= WANTED_S),
        notes=prose(
            f"""
            The demo's hub and three schools as processes of their own, {len(ours)} lessons of shared classes
            at {found["bells"]} bells: from moving the simulated clock past the lesson's end and grace, with
            the log lines of that quarter of an hour just written, until the class's page has the lesson; all
            classes of the schools close at the same bell. Looked for every {LOOK_EACH_S * 1000:.0f} ms. The
            peer: a record of the same size posted to a small web application that commits it to SQLite
            (FULL) and shows it. Its way begins where ours has closed the lesson, scored it and put it into
            the outbox; it waits for no tick, keeps no log of what left, and would lose the record if the
            site were down.
            """
        ),
        numbers=found,
    )


def _run(root: Path, bells: int) -> dict[str, Any]:
    clock = Clock(root / "clock.json")
    opened = beginning(ZONE)
    clock.stand(opened)
    town = make_town(root, clock)
    day = school_day(0)
    ours: list[float] = []
    plain: list[float] = []
    rung = 0
    with ExitStack() as held:
        post = _plain_site(held, root)
        command = module("benchmarks.ends.installed", "hub", "run", str(town.hub.layout.folder))
        alive = [held.enter_context(running(command, root / "hub.log"))]
        until(lambda: fetch(f"http://127.0.0.1:{town.hub.port}/healthz"), "the hub", alive=alive)
        for folder in town.agents:
            command = module("benchmarks.ends.installed", "agent", "run", str(folder.root))
            alive.append(held.enter_context(running(command, root / f"{folder.root.name}.log")))
        until(lambda: _settled(town, opened), "the agents", alive=alive)
        reached = opened
        for end, group in groupby(town.lessons(day), key=lambda lesson: lesson.end):
            if rung == bells or reached > end:
                continue
            town.write_logs(reached, end)
            clock.stand(end)
            until(lambda end=end: _settled(town, end), "the agents' catching up", alive=alive)  # type: ignore[misc]
            reached = end + GRACE + 1
            town.write_logs(end, reached)
            taken = _bell(town, clock, reached, list(group))
            rung += bool(taken)
            ours += taken
            plain.append(post(len(plain)))
    return {"ours_s": ours, "plain_s": plain, "bells": rung}


def _bell(town: Town, clock: Clock, moment: int, lessons: Sequence[Lesson]) -> list[float]:
    """Seconds until each of the lessons that left is on its page; those with too few devices never leave."""
    waiting = list(lessons)
    if any(_start(lesson) in _page(lesson.page) for lesson in waiting):
        raise RuntimeError("a lesson is on its page before its window closed")
    taken: list[float] = []
    began = time.monotonic()
    clock.stand(moment)
    for look in itertools.count():
        # Asked before looking: once an agent has caught up, whatever left its school is in the hub's store.
        over = look % LOOKS_A_STATUS == 0 and _settled(town, moment)
        seen = [lesson for lesson in waiting if _start(lesson) in _page(lesson.page)]
        taken += [time.monotonic() - began] * len(seen)
        waiting = [lesson for lesson in waiting if lesson not in seen]
        if over and any(_left(town, lesson) for lesson in waiting):
            raise RuntimeError("a lesson left its school and is not on its page")
        if over or not waiting:
            break
        if time.monotonic() - began > DEADLINE:
            raise RuntimeError("lessons neither left their school nor were held back")
        time.sleep(LOOK_EACH_S)
    return taken


def _start(lesson: Lesson) -> str:
    """The lesson's start as its page has it."""
    return datetime.fromtimestamp(lesson.start, ZONE).isoformat()


def _page(address: str) -> str:
    try:
        return fetch(address)
    except urllib.error.HTTPError as error:
        if error.code != 404:  # the class has no lesson yet
            raise
        error.close()
        return ""


def _settled(town: Town, moment: float) -> bool:
    states = [_state(port) for port in town.ports]
    return all(state["caught_up"] and (state["now_epoch"] or 0) >= moment for state in states)


def _state(port: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(fetch(f"http://127.0.0.1:{port}/status.json"))
    return found


def _left(town: Town, lesson: Lesson) -> bool:
    store = reader(town.agents[lesson.school].database)
    try:
        row = store.execute(
            "SELECT sent_batch FROM windows WHERE class_code = ? AND start = ?", (lesson.code, lesson.start)
        ).fetchone()
    finally:
        store.close()
    return row is not None and row[0] is not None


def _plain_site(held: ExitStack, root: Path) -> Any:
    """Starts the peer; the function returned posts one lesson and waits until it is shown."""
    (port,) = free_ports(1)
    site = f"http://127.0.0.1:{port}"
    held.enter_context(
        running(module("benchmarks.ends.plain_site", str(port), str(root / "plain.db")), root / "plain.log")
    )
    until(lambda: fetch(f"{site}/classes/none"), "the plain site")
    records = Records("Plain School", seed=1)

    def post(number: int) -> float:
        record = records.lesson(f"plain{number}", datetime.fromtimestamp(beginning(ZONE), ZONE))
        began = time.monotonic()
        asked = urllib.request.Request(  # noqa: S310 - loopback only
            f"{site}/lessons", data=encode(record), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=30):  # noqa: S310 - loopback only
            pass
        until(lambda: record.start in fetch(f"{site}/classes/plain{number}"), "the page", pause=0.001)
        return time.monotonic() - began

    return post
