"""An invitation as a QR code: on the terminal before somebody, or as a picture that says what it is."""

import sys
import textwrap
from collections.abc import Sequence
from html import escape
from io import BytesIO
from typing import Final

_QUIET: Final = 4  # light modules around the code
_SCALE: Final = 4
_LETTER: Final = 14  # pixels of a line of text; a letter is at most as wide as 0.65 of it
_LINE: Final = 20


def show(text: str) -> None:
    """Draw `text` on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        return
    import segno  # for people: what calls by a pipe waits less

    segno.make_qr(text, error="m").terminal(out=sys.stderr, compact=True)


def svg(text: str, title: str, lines: Sequence[str]) -> bytes:
    """`text` as an SVG with a title, which stands under the code too, and `lines` under that."""
    import segno

    drawing = BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(
        drawing, kind="svg", scale=_SCALE, border=_QUIET, dark="black", light="white", xmldecl=False, nl=False
    )
    width, height = code.symbol_size(scale=_SCALE, border=_QUIET)
    letters = int((width - 2 * _QUIET * _SCALE) / (_LETTER * 0.65))
    said = [part for line in (title, *lines) for part in textwrap.wrap(line, letters)]
    written = "".join(
        f'<text x="{_QUIET * _SCALE}" y="{height + _LINE * number}">{escape(part)}</text>'
        for number, part in enumerate(said, 1)
    )
    whole = height + _LINE * (len(said) + 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{whole}"'
        f' viewBox="0 0 {width} {whole}" role="img"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{whole}" fill="#fff"/>{drawing.getvalue().decode()}'
        f'<g font-family="sans-serif" font-size="{_LETTER}" fill="#000">{written}</g></svg>\n'
    ).encode()
