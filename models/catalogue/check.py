"""Finds what is wrong with a catalogue's files: every finding names its file and entry."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from models.catalogue.files import HERE, AppRow, CatalogueFiles, read_files
from shared.errors import SettingsError
from shared.words import CHANNEL_INDEX

SUM_TOLERANCE: Final = 1e-9

_ID: Final = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_DOMAIN: Final = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


def check_catalogue(folder: Path = HERE) -> list[str]:
    """Every finding in the catalogue of `folder`, one line each; empty when it is clean."""
    try:
        files = read_files(folder)
    except SettingsError as error:
        return [str(error)]
    return findings(files)


def findings(files: CatalogueFiles) -> list[str]:
    """What is wrong with files that were read; empty when nothing is."""
    return [line for look in _LOOKS for line in look(files)]


def _app(app: AppRow) -> str:
    return f'apps.toml: app "{app.id}"'


def _twice(files: CatalogueFiles, what: str, values: Callable[[AppRow], Iterable[str]]) -> Iterator[str]:
    """A value may stand in one app only, and there once."""
    owner: dict[str, AppRow] = {}
    for app in files.apps:
        for value in values(app):
            if value in owner:
                yield f'{_app(app)}: {what} "{value}" is already in app "{owner[value].id}"'
            owner.setdefault(value, app)


def _duplicates(files: CatalogueFiles) -> Iterator[str]:
    yield from _twice(files, "id", lambda app: (app.id,))
    yield from _twice(files, "domain", lambda app: app.domains)
    yield from _twice(files, "bundle id", lambda app: app.bundle_ids)
    yield from _twice(files, "LearnPlatform id", lambda app: app.lp_ids)
    counts = Counter(name for names in files.background.values() for name in names)
    for category, names in files.background.items():
        for name in sorted({name for name in names if counts[name] > 1}):
            yield f'background.toml: category "{category}": name "{name}" stands {counts[name]} times'


def _spelling(files: CatalogueFiles) -> Iterator[str]:
    for app in files.apps:
        if not _ID.fullmatch(app.id):
            yield f"{_app(app)}: the id is not lower snake case"
        for domain in app.domains:
            if not _DOMAIN.fullmatch(domain):
                yield f'{_app(app)}: domain "{domain}" is not a plain host name in lower case'
    for category, names in files.background.items():
        for name in names:
            if not _DOMAIN.fullmatch(name):
                where = f'background.toml: category "{category}"'
                yield f'{where}: "{name}" is not a plain host name in lower case'


def _overlaps(files: CatalogueFiles) -> Iterator[str]:
    background = {name: category for category, names in files.background.items() for name in names}
    for app in files.apps:
        for domain in app.domains:
            if domain in background:
                yield (
                    f'{_app(app)}: domain "{domain}" is also in background.toml, '
                    f'category "{background[domain]}"'
                )


def _unnamed(files: CatalogueFiles) -> Iterator[str]:
    for app in files.apps:
        if not app.domains and not app.bundle_ids:
            yield f"{_app(app)}: it has no domain and no bundle id, so no source can name it"


def _distribution(where: str, weights: Mapping[str, float]) -> Iterator[str]:
    for channel, weight in weights.items():
        if channel not in CHANNEL_INDEX:
            yield f'{where}: unknown channel "{channel}"; known: {", ".join(CHANNEL_INDEX)}'
        if not 0 <= weight <= 1:
            yield f'{where}: channel "{channel}" has weight {weight}, outside 0 to 1'
    total = sum(weights.values())
    if not abs(total - 1) <= SUM_TOLERANCE:  # written so that a sum that is no number fails too
        yield f"{where}: the channels sum to {total:.12g}, not 1"


def _distributions(files: CatalogueFiles) -> Iterator[str]:
    for function, weights in files.functions.items():
        yield from _distribution(f'functions.toml: function "{function}"', weights)
    for app in files.apps:
        if app.channels is not None:
            yield from _distribution(_app(app), app.channels)


def _functions(files: CatalogueFiles) -> Iterator[str]:
    for app in files.apps:
        if app.function and app.function not in files.functions:
            yield f'{_app(app)}: function "{app.function}" is not in functions.toml'
        if not app.function and app.channels is None and not app.off_task:
            yield f"{_app(app)}: it has neither function nor channels, and is not off task"
        if app.off_task and app.channels is not None:
            yield f"{_app(app)}: it is off task, so its channels would never be used"


def _coverage(files: CatalogueFiles) -> Iterator[str]:
    wanted = set(files.lp_ids)
    for app in files.apps:
        for lp_id in app.lp_ids:
            if lp_id not in wanted:
                yield f'{_app(app)}: LearnPlatform id "{lp_id}" is not in learnplatform.toml'
    covered = {lp_id for app in files.apps for lp_id in app.lp_ids}
    for lp_id in sorted(wanted - covered):
        yield f'learnplatform.toml: product "{lp_id}" is in no app of apps.toml'


_LOOKS: Final = (
    _duplicates,
    _spelling,
    _overlaps,
    _unnamed,
    _distributions,
    _functions,
    _coverage,
)
