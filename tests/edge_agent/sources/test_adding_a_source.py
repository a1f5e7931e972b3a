"""The example in docs/sources/adding.md is a source that works as it stands, and its rows fit the tables."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.sources.facts import Contact, Reading
from edge_agent.sources.kinds import KINDS, Kind
from edge_agent.sources.logtime import LogTime
from shared.words import Sight
from tests.edge_agent.school import ClassSpec, SchoolSpec, learners, make_school

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "sources"
PAGE = PAGES / "adding.md"
BELLS = [("1", "Mon Tue Wed Thu Fri", "14:00", "15:00")]
PROGRAM = """
import runpy
from types import MappingProxyType
from shared import words
from shared.words import Sight
words.SOURCE_KINDS = MappingProxyType({{**words.SOURCE_KINDS, {sight}}})
from edge_agent.sources import kinds
from edge_agent.sources.kinds import Kind
{code}
kinds.KINDS = MappingProxyType({{**kinds.KINDS, {row}}})
runpy.run_module("commonground", run_name="__main__", alter_sys=False)
"""
LINE = b"1789396262 10.0.0.7 ALLOW www.khanacademy.org\n"


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def sieve(chunk: bytes) -> Reading:
    """What the page's own code, by way of the page's own row, makes of a chunk."""
    code, row, sight = blocks("python")
    module = ModuleType("sieve")
    exec(code, module.__dict__)  # noqa: S102 - the page's code is what is tested
    rows = eval(f"{{{row}}}", {**module.__dict__, "Kind": Kind})  # noqa: S307 - the page's own row
    assert eval(f"{{{sight}}}", {"Sight": Sight}) == {"sieve": Sight.CONTACTS}  # noqa: S307 - the page's
    reading = rows["sieve"].make()(chunk, LogTime(ZoneInfo("UTC")))
    assert isinstance(reading, Reading)
    return reading


def test_every_kind_has_its_row_in_the_table_of_pages() -> None:
    table = (PAGES / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z]+)`", table, re.MULTILINE))
    assert told == set(KINDS)
    assert all((PAGES / page).is_file() for page in re.findall(r"\]\(([a-z]+\.md)", table))


def test_the_pages_file_and_rows_are_all_that_a_replay_of_its_log_needs(
    tmp_path: Path,
) -> None:
    people = learners(12)
    spec = SchoolSpec([ClassSpec("c1", "teacher1", people)], BELLS, "UTC", leases="input/leases")
    folder = make_school(tmp_path / "agent", spec).root
    leases = (f"1800000000 {one.hardware} 10.0.0.{i} iPad *\n" for i, one in enumerate(people, 7))
    (folder / "input" / "leases").write_text("".join(leases))
    log = tmp_path / "sieve.log"
    log.write_bytes(b"".join(LINE.replace(b".7 ", b".%d " % i) for i in range(7, 19)) + b"rubbish\n")
    code, row, sight = blocks("python")
    program = tmp_path / "with_sieve.py"
    program.write_text(PROGRAM.format(code=code, row=row, sight=sight), encoding="utf-8")
    told = ["agent", "replay", str(folder), str(log), "--source", "sieve", "--json"]
    done = subprocess.run(
        [sys.executable, str(program), *told, "--out", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["lines"], said["signals"], said["records"]) == (13, 12, 1)


def test_the_example_reads_its_own_lines_and_accounts_for_all() -> None:
    reading = sieve(LINE + LINE.replace(b"ALLOW", b"BLOCK") + b"rubbish\n")
    assert reading.facts == [Contact(1789396262, "10.0.0.7", "www.khanacademy.org")]
    assert (reading.lines, reading.passed_over, reading.refused) == (3, {"blocked": 1}, {"malformed_line": 1})


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.just(LINE), st.binary(max_size=60)), max_size=10))
def test_no_bytes_break_the_example(parts: list[bytes]) -> None:
    reading = sieve(b"".join(parts))
    assert reading.lines == len(reading.facts) + sum(reading.refused.values()) + sum(
        reading.passed_over.values()
    )
