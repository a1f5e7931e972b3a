"""What a district or a school says of names beyond the shipped catalogue: its file, strictly checked."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from models.catalogue.check import findings
from models.catalogue.files import AppRow, CatalogueFiles
from models.catalogue.load import load_functions
from models.catalogue.registrable import registrable
from shared import settings
from shared.errors import BadInput, SettingsError
from shared.words import CHANNEL_INDEX

MOST_ENTRIES: Final = 200
MAX_BYTES: Final = 256 * 1024
_PLAIN: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]*")

_Name = Annotated[str, Meta(min_length=1, max_length=80)]
_Domain = Annotated[str, Meta(max_length=253)]
_Weights = Annotated[dict[str, float], Meta(max_length=len(CHANNEL_INDEX))]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One `[[app]]`, as in apps.toml; one with the id of another puts that one out of use."""

    id: Annotated[str, Meta(min_length=1, max_length=48)]
    name: _Name
    domains: Annotated[tuple[_Domain, ...], Meta(max_length=50)] = ()
    bundle_ids: Annotated[tuple[_Name, ...], Meta(max_length=20)] = ()
    function: str = ""
    channels: _Weights | None = None
    off_task: bool = False

    def weights(self) -> dict[str, float]:
        """What a contact affords: positive weights by channel, in the order of the channels."""
        if self.off_task:
            return {"other": 1.0}
        given = self.channels if self.channels is not None else load_functions()[self.function]
        return {channel: float(given[channel]) for channel in CHANNEL_INDEX if given.get(channel)}


class Overlay(msgspec.Struct, frozen=True, omit_defaults=True):
    """Entries of one's own, and names that are not use."""

    background: Annotated[tuple[_Domain, ...], Meta(max_length=MOST_ENTRIES)] = ()
    app: Annotated[tuple[Entry, ...], Meta(max_length=MOST_ENTRIES)] = ()

    def __bool__(self) -> bool:
        return bool(self.background or self.app)


EMPTY: Final = Overlay()


def read_overlay(path: Path) -> Overlay:
    """The file, checked; the empty overlay where there is none. Raises SettingsError."""
    if not path.exists():
        return EMPTY
    if path.is_file() and path.stat().st_size > MAX_BYTES:
        raise SettingsError(f"{path} is larger than {MAX_BYTES // 1024} KiB: take entries out")
    return checked(settings.load(path, Overlay), str(path))


def checked(overlay: Overlay, name: str) -> Overlay:
    """The same, if nothing is wrong with it. Raises SettingsError with the first finding."""
    wrong = overlay_findings(overlay)
    if wrong:
        more = f" (and {len(wrong) - 1} more findings)" if wrong[1:] else ""
        raise SettingsError(f"{name}: {wrong[0]}{more}")
    return overlay


def overlay_findings(overlay: Overlay) -> list[str]:
    """What is wrong, one line each; entries are held against the same rules as the shipped ones."""
    rows = tuple(
        AppRow(
            id=entry.id,
            name=entry.name,
            domains=entry.domains,
            bundle_ids=entry.bundle_ids,
            function=entry.function,
            channels=entry.channels,
            off_task=entry.off_task,
        )
        for entry in overlay.app
    )
    found = findings(CatalogueFiles(rows, dict(load_functions()), {"own": overlay.background}, ()))
    plain = [
        line.replace("apps.toml: ", "").replace('background.toml: category "own"', "background")
        for line in found
    ]
    return [*plain, *_too_wide(overlay), *_not_plain(overlay)]


def _too_wide(overlay: Overlay) -> Iterable[str]:
    named = [(f'app "{entry.id}"', name) for entry in overlay.app for name in entry.domains]
    for where, name in (*named, *(("background", name) for name in overlay.background)):
        if not registrable(name):
            yield f'{where}: "{name}" is too wide or no name of the net: give one like example.org'


def _not_plain(overlay: Overlay) -> Iterable[str]:
    for entry in overlay.app:
        if not all(_PLAIN.fullmatch(text) for text in (entry.name, *entry.bundle_ids)):
            yield f'app "{entry.id}": its name or a bundle id has a control character'


def overlay_version(overlay: Overlay) -> str:
    """12 hex digits of what it says."""
    return hashlib.sha256(msgspec.json.encode(overlay, order="deterministic")).hexdigest()[:12]


def as_toml(overlay: Overlay, heading: str = "") -> str:
    """The overlay as a file; `heading` is its comment."""
    lines = [f"# {line}".rstrip() for line in heading.splitlines()]
    if overlay.background:
        lines += ["", f"background = {_list(overlay.background)}"]
    for entry in overlay.app:
        lines += ["", "[[app]]", f"id = {_text(entry.id)}", f"name = {_text(entry.name)}"]
        for key in ("domains", "bundle_ids"):
            if values := getattr(entry, key):
                lines.append(f"{key} = {_list(values)}")
        if entry.function:
            lines.append(f"function = {_text(entry.function)}")
        if entry.channels is not None:
            lines.append(f"channels = {_table(entry.channels)}")
        if entry.off_task:
            lines.append("off_task = true")
    return "\n".join(lines).lstrip("\n") + "\n"


def _text(text: str) -> str:
    # A JSON string is a TOML one, but for the delete character, which no entry has.
    return json.dumps(text, ensure_ascii=False)


def _list(texts: Iterable[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"


def _table(weights: Mapping[str, float]) -> str:
    return "{ " + ", ".join(f"{_text(name)} = {float(weight)!r}" for name, weight in weights.items()) + " }"


class District(msgspec.Struct, frozen=True):
    """The district's overlay as it goes down the link: which one it is in order, and its hash."""

    number: Annotated[int, Meta(ge=1)]
    version: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}\Z")]
    overlay: Overlay


def encode_district(district: District) -> bytes:
    """Bytes of the link."""
    return msgspec.json.encode(district)


def decode_district(data: bytes) -> District:
    """Bytes of the link, checked; raises BadInput for anything that is not a sound overlay."""
    if len(data) > MAX_BYTES:
        raise BadInput("catalogue_too_large", f"{len(data)} bytes")
    try:
        parsed = msgspec.json.decode(data)
        found = settings.parse(parsed, District, "the district's catalogue")
        checked(found.overlay, "the district's catalogue")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, SettingsError) as error:
        raise BadInput("catalogue_malformed", str(error)) from None
    if found.version != overlay_version(found.overlay):
        raise BadInput("catalogue_malformed", "its hash is another's")
    return found
