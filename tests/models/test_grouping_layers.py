"""Statistics of groups lie below the fit, what reads a fit lies above it, and no import runs against that."""

import ast
from pathlib import Path

import models

ROOT = Path(models.__file__).parent
BELOW = {"clusters", "foretold", "mixture", "windows"}
READS_FITS = {"models.scoring.fit_file", "models.scoring.fit_groups"}


def imported(file: Path) -> set[str]:
    """Modules that a file imports, by whichever form."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{one.name}" for one in node.names}
    return found


def grouping(names: set[str]) -> set[str]:
    return {name.split(".")[2] for name in names if name.startswith("models.grouping.")}


def test_a_fit_imports_of_grouping_only_what_knows_no_fit() -> None:
    used = set().union(*(grouping(imported(file)) for file in (ROOT / "fitting").rglob("*.py")))
    assert used
    assert used <= BELOW


def test_what_lies_below_the_fit_imports_nothing_that_lies_above() -> None:
    for name in BELOW:
        names = imported(ROOT / "grouping" / f"{name}.py")
        assert grouping(names) <= BELOW
        assert not names & READS_FITS


def test_grouping_never_imports_what_fits() -> None:
    for file in (ROOT / "grouping").rglob("*.py"):
        assert not any(name.startswith("models.fitting") for name in imported(file))
