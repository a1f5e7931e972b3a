"""What is asked of the real resolvers, and the laws that hold for every parser of who asked for what."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from edge_agent.sources.facts import Contact, Reading
from tests.edge_agent.resolver import ask, ask_raw

SAMPLES = Path(__file__).parent / "samples"
NAMES = ("padlet.com", "App.BookCreator.com", "kahoot.it")
# Names that look like the end of a line of each log, or like a whole line.
FORGED: tuple[list[bytes], ...] = (
    [b"com. A IN", b"x"],
    [b"padlet", b"com IN A + (127", b"0", b"0", b"9)"],
    [b"x\n[1789367462] unbound[1:0] info: 127.0.0.9 a.b. A IN\n"],
    [b"x\n14-Sep-2026 08:31:02.123 client @0x1 127", b"0", b"0", b"9#1 (a): query: a IN A + (1)\n"],
    [b'a"b', b"c(d):e.f\\", b"\x00\xff\xe9"],
)


def ask_everything(port: int) -> Counter[tuple[str, str]]:
    """Ask from several addresses; how often each asked for what, of what goes before a visit."""
    asked: Counter[tuple[str, str]] = Counter()
    for step in range(12):
        address, name = f"127.0.0.{20 + step % 5}", NAMES[step % 3]
        for kind in ("A", "AAAA", "HTTPS")[: 1 + step % 3]:
            ask(port, address, name, kind)
            asked[address, name.lower()] += 1
        ask(port, address, name, "PTR")
    for labels in FORGED:
        ask_raw(port, "127.0.0.30", labels)
    return asked


def counted(reading: Reading, but: Iterable[str] = ("127.0.0.1",)) -> Counter[tuple[str, str]]:
    """How often each address asked for each name, without the test's own probing."""
    return Counter(
        (fact.address, fact.name.lower().rstrip("."))
        for fact in reading.facts
        if isinstance(fact, Contact) and fact.address not in but
    )


def assert_every_line_is_accounted_for(reading: Reading, data: bytes) -> None:
    lines = sum(1 for line in data.split(b"\n") if line)
    told = len(reading.facts) + sum(reading.refused.values()) + sum(reading.passed_over.values())
    assert reading.lines == lines == told
