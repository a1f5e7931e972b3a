"""How far the replay is, on standard error: a bar on a terminal, a line a step elsewhere."""

import sys
from typing import Any, Final

import typer

_LABEL_WIDTH: Final = 34


class Progress:
    """Counts `steps`; used as a context."""

    def __init__(self, steps: int) -> None:
        self._bar: Any = None
        if sys.stderr.isatty() and steps:
            self._bar = typer.progressbar(length=steps, file=sys.stderr, label="".ljust(_LABEL_WIDTH))

    def __enter__(self) -> "Progress":
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*details)

    def step(self, label: str, detail: str) -> None:
        """One step is done."""
        if self._bar is None:
            typer.echo(f"{label}: {detail}", err=True)
            return
        self._bar.label = label[:_LABEL_WIDTH].ljust(_LABEL_WIDTH)
        self._bar.update(1)


def say(text: str) -> None:
    """One line for people, on standard error."""
    typer.echo(text, err=True)
