"""The threat model names what covers each threat: a test that exists, under that very name."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`((?:tests/\S+|test_[a-z0-9_]+))`", PAGE)


def test_every_test_that_the_threat_model_names_is_there() -> None:
    found = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    missing = [name for name in NAMED if name not in found and not (ROOT / name).is_file()]
    assert len(NAMED) > 30
    assert not missing


def test_every_threat_has_a_test_or_says_that_nothing_prevents_it() -> None:
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    threats = [row for row in rows if row[0] not in {"| threat", "| from", "| listens"}]
    bare = [row[0] for row in threats if "`" not in row[-1] and "not prevented" not in row[1]]
    assert [row for row in bare if row not in BORDERS] == []


BORDERS = {
    "| resolver's log, app's statements, rosters",
    "| a collector on another machine",
    "| the agent",
    "| people",
}
