"""The agent's settings: `agent.toml`, written by `init` with comments, read strictly."""

from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from edge_agent.paths import AgentFolder
from edge_agent.sources.senders import networks
from shared import settings
from shared.errors import SettingsError
from shared.link.peer_file import Peer, PeerFile
from shared.link.sockets import check_address
from shared.notice import NoticeSettings
from shared.notice import check as check_notice
from shared.words import SOURCE_KINDS

Senders = Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class ClockSettings(msgspec.Struct, frozen=True):
    """Only for simulation: a file that says what time it is."""

    file: str


class PageSettings(msgspec.Struct, frozen=True):
    """The status page, on this machine only."""

    port: Port = 8100
    contact: Annotated[str, Meta(max_length=300)] = ""


class IdentitySettings(msgspec.Struct, frozen=True):
    """Files that say which device belongs to which class at what time; read into memory only."""

    inventory: str = "input/inventory.csv"
    roster: str = "input/oneroster"
    bells: str = "input/bells.csv"
    org: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    timetable: str | None = None
    calendar: str | None = None
    opt_outs: str | None = None
    leases: str | None = None


class AddressSettings(msgspec.Struct, frozen=True):
    """A file that says which hardware had which address: a DHCP server's, or a table of neighbours."""

    kind: Literal["dnsmasq", "dhcpd", "kea", "windows", "neighbours"]
    path: str


class PlaceSettings(msgspec.Struct, frozen=True):
    """A file that says at which access point which hardware was, and where access points are."""

    kind: Literal["radius", "associations"]
    path: str
    access_points: str = "input/access_points.csv"


class CartSettings(msgspec.Struct, frozen=True):
    """A cart that asks at an address of its own: whoever asks the resolver there is of this room."""

    server: Annotated[str, Meta(min_length=2, max_length=45)]
    room: Annotated[str, Meta(min_length=1, max_length=64)]


class SourceSettings(msgspec.Struct, frozen=True):
    """One source: a file, pipe or folder to follow (`path`), an address to `listen` at, a `port` for apps.

    senders (`from`): addresses and networks that alone are listened to; everybody where it is not said.
    """

    kind: str
    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    path: str | None = None
    listen: str | None = None
    senders: Senders = msgspec.field(default=(), name="from")
    mapping: str | None = None
    port: Port | None = None
    user: str | None = None
    password_file: str | None = None


class IntakeSettings(msgspec.Struct, frozen=True):
    """Where collectors on other machines reach this agent; by default nobody does."""

    address: str = "tcp://127.0.0.1:*"
    public: str | None = None


class PrivacySettings(msgspec.Struct, frozen=True):
    """Minimums below which nothing leaves; a school may raise them, and lower devices to 5."""

    minimum_devices: Annotated[int, Meta(ge=5, le=1000)] = 10


class DiskSettings(msgspec.Struct, frozen=True):
    """What may lie on the disk, in MiB: records that wait, signals; and what is left to everybody else."""

    outbox_mib: Annotated[int, Meta(ge=1, le=1_048_576)] = 256
    signals_mib: Annotated[int, Meta(ge=1, le=1_048_576)] = 1024
    free_mib: Annotated[int, Meta(ge=1, le=1_048_576)] = 512


class ScoringSettings(msgspec.Struct, frozen=True):
    """Integration models by id, and fits of them (files, from the folder on), at most one a model."""

    models: Annotated[tuple[str, ...], Meta(min_length=1, max_length=16)] = ("tim",)
    fits: Annotated[tuple[str, ...], Meta(max_length=16)] = ()


class AgentSettings(msgspec.Struct, frozen=True):
    """The whole of `agent.toml`."""

    school: Annotated[str, Meta(min_length=1, max_length=120)]
    timezone: str
    page: PageSettings = PageSettings()
    identity: IdentitySettings = IdentitySettings()
    privacy: PrivacySettings = PrivacySettings()
    scoring: ScoringSettings = ScoringSettings()
    disk: DiskSettings = DiskSettings()
    notice: NoticeSettings = NoticeSettings()
    intake: IntakeSettings = IntakeSettings()
    sources: tuple[SourceSettings, ...] = ()
    addresses: tuple[AddressSettings, ...] = ()
    places: tuple[PlaceSettings, ...] = ()
    carts: tuple[CartSettings, ...] = ()
    clock: ClockSettings | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The school's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of source that this agent has."""
        return frozenset(source.kind for source in self.sources)


def load_settings(folder: AgentFolder) -> AgentSettings:
    """The folder's settings, checked; raises SettingsError with one line."""
    loaded = settings.load(folder.settings, AgentSettings)
    check_timezone(loaded.timezone)
    check_address(loaded.intake.address, listening=True)
    check_notice(loaded.notice, str(folder.settings))
    check_sources(folder, loaded)
    return loaded


def check_sources(folder: AgentFolder, loaded: AgentSettings) -> None:
    """Raise SettingsError unless every source can be one, under a name of its own."""
    seen: set[str] = set()
    for source in loaded.sources:
        _check_source(folder, source)
        if source.id in seen:
            raise SettingsError(f"{folder.settings}: two sources are called `{source.id}`: rename one")
        seen.add(source.id)


def intake_address(own: AgentSettings) -> str:
    """What invitations for collectors name; raises SettingsError where no other machine could call it."""
    address = own.intake.public or own.intake.address
    if set(address.removeprefix("tcp://").rpartition(":")[0]) <= set("*0.:[]") or address.endswith(":*"):
        raise SettingsError(
            "no other machine can call this agent: say under [intake] of agent.toml where it listens, for"
            ' example address = "tcp://0.0.0.0:5711" and public = "tcp://agent.school.example:5711"'
        )
    return check_address(address)


def hub_file(folder: AgentFolder) -> PeerFile:
    """Where the agent keeps which hub it joined."""
    return PeerFile(folder.hub, "The district's hub, as its invitation named it.")


def load_hub(folder: AgentFolder) -> Peer | None:
    """The hub that this agent joined, or None before `agent join`."""
    return hub_file(folder).load()


def check_timezone(name: str) -> None:
    """Raise SettingsError unless `name` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"unknown time zone `{name}`: use an IANA name such as Europe/Zurich") from None


def _check_source(folder: AgentFolder, source: SourceSettings) -> None:
    where = f"{folder.settings}: source `{source.id}`"
    if source.kind not in SOURCE_KINDS:
        raise SettingsError(
            f"{where}: unknown kind `{source.kind}`; known: {', '.join(sorted(SOURCE_KINDS))}"
        )
    if sum(given is not None for given in (source.path, source.listen, source.port)) != 1:
        raise SettingsError(
            f"{where}: give one of `path` (a file to follow), `listen` (udp://, tcp:// or unix:) and `port`"
        )
    if source.port is not None and (source.user is None or source.password_file is None):
        raise SettingsError(f"{where}: a listening source needs `user` and `password_file`")
    if source.senders and not (source.listen or "").startswith(("udp:", "tcp:")):
        raise SettingsError(f"{where}: `from` is for `listen` at udp:// or tcp:// alone")
    try:
        networks(source.senders)
    except SettingsError as error:
        raise SettingsError(f"{where}: {error}") from None


TEMPLATE: Final = """\
# Common Ground, edge agent. Every key is explained here; an unknown key is an error.
school = {school}
timezone = {timezone}          # IANA name; lessons and days are those of this zone

[page]
port = {port}                  # the status page, http://127.0.0.1:{port}/, on this machine only
# contact = "Ms Example, room 12, 555 0100"    # whom parents may ask, said on the page of what leaves

[identity]                     # read into memory, never stored, never sent
inventory = "input/inventory.csv"    # MDM export (CSV, property lists), or a folder of several
# opt_outs = "input/opt_outs.csv"    # families that said no: serial_number and/or user
roster = "input/oneroster"           # OneRoster 1.1 or 1.2, folder or zip, or Apple School Manager's zip
# org = "Hillside School"            # which school, if the roster holds several: its name or id
bells = "input/bells.csv"            # period,days,start,end,schedule: when the roster's periods are
# timetable = "input/timetable.csv"  # class,period,days,room,start,end: if the roster has no periods
# calendar = "input/calendar.csv"    # date,day,schedule: holidays, half days, rotation days
# leases = "/var/lib/misc/dnsmasq.leases"   # if the log has no DHCP lines; looked at while it runs

[privacy]
minimum_devices = 10           # fewer devices seen in a lesson: its record never leaves; 5 or more

[scoring]
models = ["tim"]               # ids from `commonground models list`, or of your own TOML files in models/
fits = []                      # what walkthroughs taught, by `commonground models fit`: one FIT.json a model;
                               # a model without one is an inference that nobody has calibrated yet

[disk]                         # beyond these nothing more is read, and nothing is lost, until there is room
outbox_mib = 256               # records that wait for the district
signals_mib = 1024             # signals of the last two days
free_mib = 512                 # what this agent leaves free on its disk

# [notice]                     # word when a source falls silent in lessons, and when it is heard again
# smtp = "mail.school.example"       # by e-mail; port 587 and STARTTLS unless said otherwise
# port = 587
# tls = "starttls"                   # or "tls" (port 465), or "none" for a mail server on this machine
# from = "commonground@school.example"
# to = ["it@school.example"]
# user = "commonground"              # if the server asks; without it `from`
# password_file = "secrets/smtp_password"
# ca_file = "input/mail_ca.pem"      # if its certificate is the school's own
# webhook = "https://chat.school.example/hooks/it"   # JSON by POST, beside e-mail or instead of it

# [intake]                     # for `commonground collect` on other machines, see `agent invite`
# address = "tcp://0.0.0.0:5711"               # where this agent listens for them
# public = "tcp://agent.school.example:5711"   # how they call it, if that is another address

[[sources]]
kind = "dnsmasq"               # the resolver's query log (`log-queries`, `log-dhcp`)
id = "resolver"
path = "input/dnsmasq.log"

# [[sources]]
# kind = "dnstap"              # told as it happens, leaving no file: docs/sources/listening.md
# id = "unbound"
# listen = "tcp://127.0.0.1:6000"    # udp:// or tcp:// for syslog; unix:PATH or tcp:// for dnstap
# from = ["10.1.0.53"]         # if not on loopback: addresses or networks that alone may send; else everybody

# [[sources]]
# kind = "securly"             # a filter's export by event, or a folder into which such files are dropped
# id = "filter"
# path = "input/filter"
# mapping = "securly"          # which column says what: "securly", "lightspeed", or a TOML file of your own

# [[sources]]
# kind = "xapi"                # apps that report what was done, as xAPI statements
# id = "apps"
# port = 8101
# user = "apps"
# password_file = "secrets/xapi_password"

# [[addresses]]                # who has which address, if the resolver's log has no DHCP lines; may repeat
# kind = "kea"                 # dnsmasq, dhcpd, kea, windows; neighbours for a table of IPv6 neighbours
# path = "/var/lib/kea/kea-leases4.csv"

# [[places]]                   # at which access point an iPad is: the room of one that travels; may repeat
# kind = "radius"              # RADIUS accounting; or associations, an export of the Wi-Fi controller
# path = "input/radius.log"
# access_points = "input/access_points.csv"    # access_point,room

# [[carts]]                    # a cart with a resolver address of its own: `agent profile --cart`
# server = "10.1.0.112"        # look-ups that dnstap tells of this address belong to the room
# room = "12"
"""
