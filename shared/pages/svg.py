"""Scalable drawings as strings: elements with escaped attributes, and an accessible frame around them."""

from collections.abc import Iterable
from functools import lru_cache

from markupsafe import Markup, escape

Attribute = str | float | int


def element(tag: str, *children: str, **attributes: Attribute) -> Markup:
    """One element; `class_` becomes `class`, `stroke_width` `stroke-width`; text children are escaped."""
    # Written by hand, a page has thousands of these: Markup's own formatting takes ten times as long.
    written = "".join([f' {_name(name)}="{_written(value)}"' for name, value in attributes.items()])
    inner = "".join([escape(child) for child in children])
    if not inner and tag not in ("text", "title", "desc"):
        return Markup(f"<{tag}{written}/>")  # noqa: S704 - every attribute was escaped
    return Markup(f"<{tag}{written}>{inner}</{tag}>")  # noqa: S704 - every attribute and child was escaped


def drawing(
    uid: str, width: float, height: float, title: str, text: str, parts: Iterable[Markup], class_: str = ""
) -> Markup:
    """A whole <svg>: an image named `title` and described by `text`; `uid` is unique on its page."""
    return element(
        "svg",
        element("title", title, id=f"{uid}-title"),
        element("desc", text, id=f"{uid}-text"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        class_=f"drawing {class_}".strip(),
        width=width,
        height=height,
        viewBox=f"0 0 {_plain(width)} {_plain(height)}",
        role="img",
        aria_labelledby=f"{uid}-title",
        aria_describedby=f"{uid}-text",
    )


def label(text: str, x: float, y: float, anchor: str = "start", class_: str = "c-text") -> Markup:
    """A line of text; `anchor` is start, middle or end."""
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)


def hatching(uid: str, class_: str = "c-hatch-line", step: int = 6) -> Markup:
    """The definition of a pattern of slanted lines, used as `fill="url(#uid-hatch)"`."""
    s = step
    lines = element("path", d=f"M-1,1 l2,-2 M0,{s} l{s},-{s} M{s - 1},{s + 1} l2,-2", class_=class_)
    pattern = element(
        "pattern", lines, id=f"{uid}-hatch", patternUnits="userSpaceOnUse", width=step, height=step
    )
    return element("defs", pattern)


@lru_cache(maxsize=256)
def _name(keyword: str) -> str:
    return keyword.rstrip("_").replace("_", "-")


def _written(value: Attribute) -> str:
    return str(escape(value)) if isinstance(value, str) else _plain(value)


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
