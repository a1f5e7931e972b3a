"""The shipped catalogue with a district's and a school's own entries over it.

An own entry's index is FIRST_OWN and up, so that the shipped catalogue can grow below it; what an index once
meant it means for good, also after its entry was changed or taken away.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from models.catalogue.load import App, Catalogue, version_of
from models.catalogue.match import BACKGROUND
from models.catalogue.overlay import Entry, Overlay
from shared.errors import BadInput, SettingsError
from shared.words import CHANNEL_INDEX

FIRST_OWN: Final = 1001
MOST_PLACES: Final = 1000
_FREE: Final = App("", "", (), (), (), (), "", MappingProxyType({"other": 1.0}), off_task=True)


class Place(msgspec.Struct, frozen=True, array_like=True):
    """An index for good, FIRST_OWN the first: whose it is, and what a contact with it affords."""

    id: Annotated[str, Meta(max_length=48)]
    channels: dict[str, float]
    off_task: bool


class Live(msgspec.Struct, frozen=True, array_like=True):
    """An entry in use: its place (0 the first), and the names by which it is met."""

    place: Annotated[int, Meta(ge=0, lt=MOST_PLACES)]
    name: str
    domains: tuple[str, ...]
    bundle_ids: tuple[str, ...]
    whose: str


class Layers(msgspec.Struct, frozen=True, array_like=True):
    """Everything over the shipped catalogue, as it goes to collectors, too.

    live: in order of precedence, the weakest first; background: name -> whose.
    """

    places: Annotated[tuple[Place, ...], Meta(max_length=MOST_PLACES)] = ()
    live: tuple[Live, ...] = ()
    background: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class _Owners:
    """Who has a name: an index, or BACKGROUND."""

    domains: dict[str, int]
    bundle_ids: dict[str, int]


def stack(overlays: Sequence[tuple[str, Overlay]], places: Sequence[Place]) -> Layers:
    """Overlays (whose, and what it says), the weakest first, over the places that were given before.

    Places are only ever added, at the end: an entry keeps its own as long as it affords the same. Raises
    SettingsError when there are no more.
    """
    known = {(place.id, _key(place)): number for number, place in enumerate(places)}
    every, entries, background = list(places), dict[str, tuple[str, Entry]](), dict[str, str]()
    for whose, overlay in overlays:
        claimed = {name for entry in overlay.app for name in entry.domains}
        background = {name: other for name, other in background.items() if name not in claimed}
        background |= dict.fromkeys(overlay.background, whose)
        for entry in overlay.app:
            entries.pop(entry.id, None)
            entries[entry.id] = whose, entry
        stronger = set(overlay.background)
        for key, (other, entry) in entries.items():
            if other != whose and not stronger.isdisjoint(entry.domains):
                kept = tuple(name for name in entry.domains if name not in stronger)
                entries[key] = other, msgspec.structs.replace(entry, domains=kept)
    live = []
    for whose, entry in entries.values():
        place = Place(entry.id, entry.weights(), entry.off_task)
        number = known.setdefault((place.id, _key(place)), len(every))
        if number == len(every):
            every.append(place)
        live.append(Live(number, entry.name, entry.domains, entry.bundle_ids, whose))
    if len(every) > MOST_PLACES:
        raise SettingsError(
            f"the catalogue has had {MOST_PLACES} own entries and there is no index left for another:"
            " undo the latest change"
        )
    return Layers(tuple(every), tuple(live), background)


def merged(shipped: Catalogue, layers: Layers) -> Catalogue:
    """The catalogue in use; the shipped one itself where there is nothing over it.

    Raises SettingsError when the shipped one has grown into the indexes of the own ones.
    """
    if not layers.places and not layers.background:
        return shipped
    if len(shipped.apps) >= FIRST_OWN:
        raise SettingsError("this version ships more apps than there is room for below the school's own")
    apps = [*shipped.apps, *[_FREE] * (FIRST_OWN - 1 - len(shipped.apps))]
    apps += [_retired(place) for place in layers.places]
    owners = _owners(shipped, layers)
    domains, bundles = _by_owner(owners.domains), _by_owner(owners.bundle_ids)
    names = {FIRST_OWN + item.place: item.name for item in layers.live}
    every = tuple(
        app
        if app is _FREE
        else replace(
            app,
            name=names.get(index, app.name),
            domains=tuple(domains.get(index, ())),
            bundle_ids=tuple(bundles.get(index, ())),
        )
        for index, app in enumerate(apps, start=1)
    )
    live = {every[index - 1].id: index for index in names}
    background = {
        name: layers.background.get(name) or shipped.background.get(name, "")
        for name, owner in owners.domains.items()
        if owner == BACKGROUND
    }
    return Catalogue(
        apps=every,
        background=MappingProxyType(background),
        version=version_of(every, background),
        by_id=MappingProxyType({**shipped.by_id, **live}),
        by_lp_id=shipped.by_lp_id,
        by_bundle_id=MappingProxyType(owners.bundle_ids),
    )


def _owners(shipped: Catalogue, layers: Layers) -> _Owners:
    """The strongest speaks last; a shipped app whose id an own entry has is out of use."""
    domains: dict[str, int] = dict.fromkeys(shipped.background, BACKGROUND)
    bundle_ids: dict[str, int] = {}
    replaced = {layers.places[item.place].id for item in layers.live}
    for index, app in enumerate(shipped.apps, start=1):
        if app.id not in replaced:
            domains.update(dict.fromkeys(app.domains, index))
            bundle_ids.update(dict.fromkeys(app.bundle_ids, index))
    domains.update(dict.fromkeys(layers.background, BACKGROUND))
    for item in layers.live:
        index = FIRST_OWN + item.place
        domains.update(dict.fromkeys(item.domains, index))
        bundle_ids.update(dict.fromkeys(item.bundle_ids, index))
    return _Owners(domains, bundle_ids)


def _by_owner(owners: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name, index in owners.items():
        found.setdefault(index, []).append(name)
    return found


def _retired(place: Place) -> App:
    """What an index means when nothing is met under it any more."""
    channels = MappingProxyType(dict(place.channels))
    return App(place.id, place.id, (), (), (), (), "", channels, place.off_task)


def _key(place: Place) -> tuple[tuple[tuple[str, float], ...], bool]:
    return tuple(sorted(place.channels.items())), place.off_task


_layers: Final = msgspec.msgpack.Decoder(Layers)


def encode_layers(layers: Layers) -> bytes:
    """Bytes of the link."""
    return msgspec.msgpack.encode(layers)


def decode_layers(data: bytes) -> Layers:
    """Bytes of the link; raises BadInput for what no agent says."""
    try:
        found = _layers.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("catalogue_malformed", type(error).__name__) from None
    known = all(_weights_known(place.channels.items()) for place in found.places)
    if not known or not all(item.place < len(found.places) for item in found.live):
        raise BadInput("catalogue_malformed", "a channel or a place that is not there")
    return found


def _weights_known(weights: Iterable[tuple[str, float]]) -> bool:
    return all(channel in CHANNEL_INDEX and 0 <= weight <= 1 for channel, weight in weights)
