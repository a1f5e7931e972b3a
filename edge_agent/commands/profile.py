"""`agent profile`: what the school's MDM, resolver and firewall need, as files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge_agent.commands.common import Folder, say
from edge_agent.commands.secret_words import secret_word
from edge_agent.paths import AgentFolder
from edge_agent.settings import AgentSettings, load_hub, load_settings
from shared.errors import UsageError

if TYPE_CHECKING:
    from edge_agent.setup.wishes import Wishes

_SSID = typer.Option(help="The school's Wi-Fi: encrypted DNS is in force there alone.")
_SECURITY = typer.Option(
    help="WPA2, WPA3, WPA, Any or None: writes a whole Wi-Fi payload, not the key alone."
)
_PASSWORD = typer.Option(
    metavar="FILE", help="Puts the Wi-Fi password, in clear, into the payload; - to paste it."
)


def profile(
    folder: Folder,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where to write them.")],
    ssid: Annotated[str, _SSID] = "",
    security: Annotated[str, _SECURITY] = "",
    wifi_password: Annotated[str, _PASSWORD] = "",
    dns_name: Annotated[str, typer.Option(help="Encrypted DNS: the name in the certificate.")] = "",
    dns_address: Annotated[
        list[str] | None, typer.Option(help="Encrypted DNS: an address; may repeat.")
    ] = None,
    ca: Annotated[Path | None, typer.Option(help="Certificate of the school's own authority.")] = None,
    cart: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROOM=NAME=ADDRESS", help="A cart's own name and address of the resolver; may repeat."
        ),
    ] = None,
) -> None:
    """Write profiles for the MDM, snippets for the resolver, a request for the firewall."""
    from edge_agent.leaving import school_key
    from edge_agent.setup import wishes as asked

    paths = AgentFolder(folder)
    settings = load_settings(paths)
    wishes = asked.checked(
        asked.Wishes(
            school=settings.school,
            agent=school_key.name(school_key.ensure(paths.secrets)),
            ssid=ssid,
            security=security,
            password=secret_word(wifi_password, "the Wi-Fi password") if wifi_password else "",
            dns_name=dns_name.lower(),
            dns_addresses=tuple(dns_address or ()),
            carts=tuple(asked.cart(text) for text in cart or ()),
            authority=asked.certificate(_read(ca)) if ca else b"",
        )
    )
    written = _write(out, _files(wishes, paths, settings))
    for file in written:
        say(f"Wrote {file}")
    for file in _left_over(out, written):
        say(f"{file} is of an earlier call: remove it, or somebody uploads it")
    say(f"Read {out / 'README.md'} first: what each needs, and how to try it with one cart.")


def _files(wishes: "Wishes", paths: AgentFolder, settings: AgentSettings) -> dict[str, bytes]:
    from edge_agent.setup import firewall_side, payloads, profile_readme, resolver_side

    hub = load_hub(paths)
    listen = next((one.listen for one in settings.sources if one.kind == "dnstap" and one.listen), "")
    if listen.startswith("unix:"):
        listen = f"unix:{paths.resolve(listen.removeprefix('unix:')).absolute()}"
    files = payloads.profiles(wishes)
    texts = {
        "resolver/unbound.conf": resolver_side.unbound(wishes, resolver_side.Listening(listen)),
        **_dnsmasq(settings),
        "firewall.md": firewall_side.request(
            wishes, hub.address if hub else "", settings.intake.public or ""
        ),
    }
    texts["README.md"] = profile_readme.readme(wishes, [*files, *texts])
    return files | {name: text.encode() for name, text in texts.items()}


def _dnsmasq(settings: AgentSettings) -> dict[str, str]:
    """Pi-hole is a dnsmasq that logs for itself: it gets a file of its own instead."""
    from edge_agent.setup import resolver_side

    if any(one.kind == "pihole" for one in settings.sources):
        return {"resolver/pihole.conf": resolver_side.pihole()}
    by_syslog = any(one.kind == "dnsmasq" and one.listen for one in settings.sources)
    return {"resolver/dnsmasq.conf": resolver_side.dnsmasq(by_syslog=by_syslog)}


def _write(out: Path, files: dict[str, bytes]) -> list[Path]:
    from shared.files import replace

    try:
        (out / "resolver").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made: {error.strerror}; choose another folder") from None
    for name, data in files.items():
        if b"<key>Password</key>" in data:
            (out / name).touch(mode=0o600)
            (out / name).chmod(0o600)
        replace(out / name, data)
    return [out / name for name in files]


def _left_over(out: Path, written: list[Path]) -> list[Path]:
    return sorted(set(out.glob("*.mobileconfig")) - set(written))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
