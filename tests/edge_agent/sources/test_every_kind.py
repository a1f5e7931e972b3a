"""Every kind of log, under its own lines spoilt in every way: never an error, nothing uncounted."""

import random
import time
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import EXCERPTS_A_CHUNK, Reading
from edge_agent.sources.kinds import KINDS
from edge_agent.sources.parsing import Parser
from shared.words import SOURCE_KINDS, Sight

ZONE: Final = ZoneInfo("Europe/Zurich")
NOW: Final = 1_789_400_000.0  # in September 2026
SAMPLES: Final = Path(__file__).parent / "samples"
ELSEWHERE: Final = {"zeek": SAMPLES / "zeek" / "dns.log"}
MAPPINGS: Final = {"events": "lightspeed"}
SILENT: Final = frozenset({"dnsmasq", "pihole"})  # lines about answers are counted as lines alone
LINEWISE: Final = sorted(kind for kind, row in KINDS.items() if not row.framed)
NAME_LIMIT: Final = 253
ODD: Final = (b'"', b"\\", b"\t", b",", b"\0", b"\xff\xfe", b"99999999999999", b"{[")
TIMES: Final = range(1 << 32)

each = pytest.mark.parametrize("kind", LINEWISE)
many = settings(derandomize=True, max_examples=60, deadline=None)


def sample(kind: str) -> list[bytes]:
    """The kind's recorded lines, each with its newline."""
    return ELSEWHERE.get(kind, SAMPLES / f"{kind}.log").read_bytes().splitlines(keepends=True)


def reader(kind: str) -> Parser:
    return Parser(kind, ZONE, mapping=MAPPINGS.get(kind))


def read(kind: str, *chunks: bytes) -> list[Reading]:
    """What a fresh reader makes of one file that comes in these chunks."""
    parse = reader(kind)
    return [parse(chunk, NOW) for chunk in chunks]


def together(readings: list[Reading]) -> tuple[list[object], int, dict[str, int], dict[str, int]]:
    """Facts, lines, and what was refused and passed over, of all."""
    refused: dict[str, int] = {}
    passed: dict[str, int] = {}
    for reading in readings:
        for total, part in ((refused, reading.refused), (passed, reading.passed_over)):
            for reason, number in part.items():
                total[reason] = total.get(reason, 0) + number
    facts: list[object] = [fact for reading in readings for fact in reading.all_facts()]
    return facts, sum(reading.lines for reading in readings), refused, passed


def assert_accounted(kind: str, chunk: bytes, reading: Reading) -> None:
    """Every line is a fact, refused or passed over; and nothing is said that a signal could not hold."""
    told = len(reading.all_facts()) + sum(reading.refused.values()) + sum(reading.passed_over.values())
    assert told <= reading.lines if kind in SILENT else told == reading.lines
    if not KINDS[kind].header and kind != "xapi":
        lines = chunk.split(b"\n")
        blank = sum(line == b"\r" for line in lines)  # an empty line, or a broken one: as its kind has it
        assert 0 <= sum(map(bool, lines)) - reading.lines <= blank
    assert len(reading.excerpts) <= EXCERPTS_A_CHUNK
    for fact in reading.all_facts():
        assert fact.t in TIMES
        name = getattr(fact, "name", "")
        assert len(name) <= NAME_LIMIT or kind in SILENT
        assert not set(name) & set("\n\0")


def test_every_kind_of_the_table_is_declared_with_what_it_can_see() -> None:
    assert {kind for kind in KINDS if SOURCE_KINDS[kind] >= Sight.CONTACTS} == set(KINDS)


@each
def test_recorded_lines_tell_something(kind: str) -> None:
    chunk = b"".join(sample(kind))
    (reading,) = read(kind, chunk)
    assert reading.all_facts()
    assert reading.newest is not None
    assert_accounted(kind, chunk, reading)


@each
@many
@given(data=st.data())
def test_wherever_a_log_is_cut_between_lines_it_says_the_same(kind: str, data: st.DataObject) -> None:
    lines = sample(kind)
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=4).map(sorted))
    chunks = [b"".join(lines[a:b]) for a, b in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    assert together(read(kind, *chunks)) == together(read(kind, b"".join(lines)))


@each
@many
@given(data=st.data())
def test_after_a_restart_in_the_middle_a_file_says_the_same_as_without(
    kind: str, data: st.DataObject
) -> None:
    lines = sample(kind)
    at = data.draw(st.integers(0, len(lines)))
    first, rest = reader(kind), reader(kind)
    before = first(b"".join(lines[:at]), NOW)
    rest.begin(b"".join(lines[:at]), NOW)
    after = rest(b"".join(lines[at:]), NOW)
    assert together([before, after]) == together(read(kind, b"".join(lines)))


@st.composite
def spoilt(draw: st.DrawFn, lines: list[bytes]) -> bytes:
    """Some of the lines, with bytes changed, cut out, doubled or put in; or rubbish between them."""
    rng = draw(st.randoms(use_true_random=False))
    found = []
    for _ in range(draw(st.integers(1, 6))):
        line = bytearray(rng.choice(lines).rstrip(b"\n"))
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(line) + 1)
            change = rng.randrange(5)
            if change == 0:
                line[at : at + 1] = bytes((rng.randrange(256),))
            elif change == 1:
                del line[at : at + rng.randrange(1, 9)]
            elif change == 2:
                line[at:at] = line[at : at + rng.randrange(1, 30)]
            elif change == 3:
                line[at:at] = rng.choice(ODD)
            else:
                line[at:at] = b"a" * rng.choice((64, 300, 9000))
        found.append(bytes(line))
    found.append(draw(st.binary(max_size=80)))
    return b"".join(line + b"\n" for line in found)


@each
@many
@given(data=st.data())
def test_spoilt_lines_raise_nothing_and_each_is_counted(kind: str, data: st.DataObject) -> None:
    lines = sample(kind)
    head = b"".join(lines[:8]) if KINDS[kind].header else b""
    chunk = data.draw(spoilt(lines))
    parse = reader(kind)
    parse.begin(head, NOW)
    assert_accounted(kind, chunk, parse(chunk, NOW))


@each
@many
@given(chunk=st.binary(max_size=2000))
def test_binary_rubbish_raises_nothing_and_says_nothing(kind: str, chunk: bytes) -> None:
    (reading,) = read(kind, chunk)
    assert_accounted(kind, chunk, reading)
    assert not reading.all_facts()


@each
@pytest.mark.parametrize("filling", [b"a", b",", b'"', b".", b" ", b"[", b"\\", b"\t", b"0", b"("])
def test_a_long_line_is_refused_at_once(kind: str, filling: bytes) -> None:
    """Of one kind of byte, behind the beginning of a real line: as fast as so many short lines."""
    line = max(sample(kind), key=len).rstrip(b"\n")
    parse = reader(kind)
    parse.begin(b"".join(sample(kind)[:8]) if KINDS[kind].header else b"", NOW)
    began = time.process_time()
    for keep in (0, len(line) // 3, len(line)):
        reading = parse(line[:keep] + filling * (48 * 1024 - keep - 1) + b"\n", NOW)
        # A statement with blanks behind it is a whole statement.
        assert not reading.all_facts() or (kind == "xapi" and not filling.strip())
    assert time.process_time() - began < 1.0


@each
def test_times_far_ahead_never_move_how_far_a_log_has_come(kind: str) -> None:
    chunk = b"".join(sample(kind))
    parse = reader(kind)
    reading = parse(chunk, 1_000_000_000.0)  # as if it were 2001: all of these are years ahead
    assert reading.newest is None or reading.newest < 1_000_000_000 + 2 * 86400


@each
def test_a_chunk_of_the_usual_size_is_read_in_no_time(kind: str) -> None:
    lines = sample(kind)
    rng = random.Random(7)
    head = lines[:8] if KINDS[kind].header else []
    chunk = b"".join([*head, *rng.choices(lines, k=300)])
    parse = reader(kind)
    began = time.process_time()
    parse(chunk, NOW)
    assert time.process_time() - began < 1.0
