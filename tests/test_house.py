"""The rooms know each other only as the design says, and files stay of a size that can be read."""

import ast
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("shared", "models", "edge_agent", "hub", "demo")
MAY_KNOW = {
    "shared": {"shared"},
    "models": {"shared", "models"},
    "edge_agent": {"shared", "models", "edge_agent"},
    "hub": {"shared", "models", "hub"},
    # The demo drives agent and hub by their commands, as a person would.
    "demo": {"shared", "models", "demo"},
}


def imported_rooms(file: Path) -> set[str]:
    """First words of everything that a file imports, as far as they are rooms."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise AssertionError(f"{file}: relative imports hide the room")
    return found & {*ROOMS, "commonground", "tests", "benchmarks"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_it_may_know(room: str) -> None:
    strangers = {
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / room).rglob("*.py")
        for name in imported_rooms(file) - MAY_KNOW[room]
    }
    assert not strangers


def test_the_front_door_imports_no_room_before_it_is_asked_for() -> None:
    assert imported_rooms(ROOT / "commonground.py") == {"shared"}


def test_every_module_says_in_its_first_line_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if not ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not silent


def test_lock_files_pin_by_hash_and_hold_no_address() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text()
        assert "://" not in text and "--index" not in text and "--find-links" not in text, lock
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins and all("==" in line for line in pins), lock
        assert text.count("--hash=sha256:") >= len(pins), lock


def test_no_third_party_script_or_font_lies_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    copied = [name for name in listed.stdout.splitlines() if name.endswith((".min.js", ".min.css", ".woff2"))]
    assert not copied
