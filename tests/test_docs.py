"""Docs keep up with the code: links lead somewhere, every setting is explained, the words stay our own."""

import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from edge_agent.settings import TEMPLATE as AGENT_TEMPLATE
from edge_agent.settings import AgentSettings

ROOT = Path(__file__).parent.parent
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def keys_of(shape: type, prefix: str = "") -> list[str]:
    """Every key of a settings struct, nested tables included."""
    found = []
    for field in msgspec.structs.fields(shape):
        info = msgspec.inspect.type_info(field.type)
        inner = [info, *getattr(info, "types", ()), getattr(info, "item_type", None)]
        structs = [part.cls for part in inner if isinstance(part, msgspec.inspect.StructType)]
        found.append(prefix + field.encode_name)
        for struct in structs:
            found += keys_of(struct, f"{field.encode_name}.")
    return found


def test_every_agent_setting_stands_in_the_file_that_init_writes() -> None:
    only_for_simulation = {"clock", "clock.file"}
    missing = [
        key
        for key in keys_of(AgentSettings)
        if key not in only_for_simulation and not re.search(rf"\b{key.split('.')[-1]}\b", AGENT_TEMPLATE)
    ]
    assert not missing


def test_every_decision_says_context_choice_and_consequences() -> None:
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequences")), page.name


def test_the_project_speaks_of_itself_alone() -> None:
    """No home folder of a developer, no address on a machine of theirs."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    strangers = re.compile(r"/(?:home|Users)/[a-z]+/")
    found = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.suffix in {".png", ".gz"}:
            continue
        if strangers.search(path.read_text(encoding="utf-8", errors="replace")):
            found.append(name)
    assert not found
