"""Carts that are known by the resolver's address at which they ask, whatever hardware address they show."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from edge_agent.identity.inventory import Device
from edge_agent.settings import CartSettings
from shared.errors import SettingsError

UNKNOWN: Final = frozenset({"no_lease", "private_address", "unknown_device"})


@dataclass(frozen=True, slots=True)
class Carts:
    """The room of each address of the resolver that a cart has for its own."""

    rooms: Mapping[str, str] = field(default_factory=dict)

    def device(self, server: str, address: str) -> Device | None:
        """Who asks from `address` at the resolver's address `server`: a device of that room, for as long as
        it keeps its address; None where no cart asks.
        """
        room = self.rooms.get(server)
        return None if room is None else Device(f"cart {room} {address}", "", "", room, opted_out=False)


def carts(tables: Iterable[CartSettings]) -> Carts:
    """The carts of the settings; raises SettingsError for an address that is none, or two rooms'."""
    rooms: dict[str, str] = {}
    for table in tables:
        try:
            server = str(ip_address(table.server))
        except ValueError:
            raise SettingsError(
                f"agent.toml: [[carts]]: `{table.server}` is no IP address: write the resolver's"
            ) from None
        if server in rooms:
            raise SettingsError(f"agent.toml: [[carts]]: {server} is named twice: each cart needs its own")
        rooms[server] = table.room
    return Carts(rooms)
