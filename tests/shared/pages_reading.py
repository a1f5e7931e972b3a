"""Pages as a test reads them: fetched without a socket, taken apart by the standard parser."""

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from starlette.applications import Starlette

FORBIDDEN = re.compile(r"\bscor(e|es|ed|ing)\b|\brank|low performer|screen time", re.IGNORECASE)
VOID = {"meta", "link", "br", "img", "input", "hr"}


def get(app: Starlette, path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
    """One request; what the application raises arrives as its error page."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, headers=headers)

    return asyncio.run(ask())


@dataclass
class Tag:
    """One element: its name, attributes, and the text inside it."""

    name: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A parsed page: its elements in order, its visible text."""

    tags: list[Tag] = field(default_factory=list)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = []
        self._open: list[Tag] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        found = Tag(self._named(tag), {name: value or "" for name, value in attrs})
        self.tags.append(found)
        if tag not in VOID:
            self._open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content."""
        self.tags.append(Tag(self._named(tag), {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        """An element ends; one that is not the newest open one is a fault of the page."""
        assert self._open.pop().name.removeprefix("svg:") == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        """Text belongs to every element around it."""
        for tag in self._open:
            tag.text += data

    def _named(self, tag: str) -> str:
        """Parts of a drawing are told from parts of the page: a drawing has a title too."""
        return f"svg:{tag}" if any(tag.name == "svg" for tag in self._open) else tag

    def all(self, name: str, class_: str = "") -> list[Tag]:
        """Elements by name, and by class where one is given."""
        return [
            tag
            for tag in self.tags
            if tag.name == name and (not class_ or class_ in tag.attributes.get("class", "").split())
        ]

    def one(self, name: str, class_: str = "") -> Tag:
        """The only such element."""
        (found,) = self.all(name, class_)
        return found

    @property
    def text(self) -> str:
        """What the body says, spaces made single."""
        return " ".join(self.one("body").text.split())


def check_page(page: Page) -> None:
    """What holds for every page of hub and agent."""
    assert page.one("html").attributes["lang"] == "en"
    assert page.one("title").text.strip()
    for landmark in ("header", "nav", "main", "footer", "h1"):
        page.one(landmark)
    links = page.all("a")
    assert links[0].attributes["href"] == f"#{page.one('main').attributes['id']}", "the skip link comes first"
    assert any(link.text == "How do you know?" for link in links)
    assert not page.all("script")
    for tag in page.tags:
        faults = [name for name in tag.attributes if name == "style" or name.startswith("on")]
        assert not faults, f"<{tag.name}> carries {faults}, which the content policy blocks"
    ids = [tag.attributes["id"] for tag in page.tags if "id" in tag.attributes]
    assert len(ids) == len(set(ids)), "an id stands twice"
    assert not FORBIDDEN.search(page.text)
    check_drawings(page, set(ids))
    check_figures(page)


def check_drawings(page: Page, ids: set[str]) -> None:
    """Every image has its name and description, and every reference leads somewhere."""
    for tag in page.tags:
        if tag.name == "svg" and tag.attributes.get("aria-hidden") != "true":
            assert tag.attributes["role"] == "img"
            assert {tag.attributes["aria-labelledby"], tag.attributes["aria-describedby"]} <= ids
        fill = tag.attributes.get("fill", "")
        if fill.startswith("url(#"):
            assert fill[5:-1] in ids


def check_figures(page: Page) -> None:
    """Every figure has its sentence, limits and table, and its data to take away."""
    figures = page.all("figure")
    for part, class_ in (("p", "says"), ("figcaption", ""), ("div", "wide"), ("div", "narrow")):
        assert len(page.all(part, class_)) == len(figures), f"a figure lacks its {part} {class_}"
    for figure in figures:
        name = figure.attributes["id"]
        assert any(link.attributes["href"].endswith(f"?data={name}") for link in page.all("a", "tap"))
    assert len(page.all("table")) >= len(figures)
