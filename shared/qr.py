"""An invitation as a QR code: on the terminal before somebody, or as a file for its owner alone."""

import sys
from io import BytesIO
from pathlib import Path

from shared.errors import UsageError
from shared.settings import write_secret


def check_free(path: Path) -> None:
    """Raises UsageError where no new file can be made, before anything is done."""
    if path.exists():
        raise UsageError(f"{path} exists: remove it, or name another file")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is no folder: make it, or name another file")


def show(text: str) -> None:
    """Draw `text` on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        return
    import segno  # for people: what calls by a pipe waits less

    segno.make_qr(text, error="m").terminal(out=sys.stderr, compact=True)


def write_svg(text: str, path: Path) -> None:
    """Write `text` as a new SVG of mode 0600. Raises UsageError where that cannot be done."""
    import segno

    drawing = BytesIO()
    segno.make_qr(text, error="m").save(drawing, kind="svg", scale=4, dark="black", light="white")
    try:
        write_secret(path, drawing.getvalue())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}; name another file") from None
