"""Notices sent: as e-mail by SMTP, or to a webhook as JSON. Making them is pure, sending is apart."""

import http.client
import json
import smtplib
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from shared.deadline import Deadline
from shared.errors import CommonGroundError, SettingsError
from shared.notice import Channel, Notice, NoticeSettings
from shared.settings import read_secret

TIMEOUT: Final = 20.0  # for one step
ATTEMPT_SECONDS: Final = 60.0  # for all of them
ANSWER_BYTES: Final = 4096
TALK_BYTES: Final = 64 * 1024  # of all that a mail server says; it may go on with one answer for ever


class UnsentError(CommonGroundError):
    """A notice could not be sent: said in the log, and tried again."""


def email_of(notice: Notice, settings: NoticeSettings, at: datetime) -> EmailMessage:
    """The notice as an e-mail."""
    message = EmailMessage()
    message["From"] = settings.sender or ""
    message["To"] = ", ".join(settings.to)
    message["Subject"] = " ".join(notice.subject.split())
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{notice.id}@commonground.invalid>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.text)
    return message


def body_of(notice: Notice, at: datetime) -> bytes:
    """The notice as JSON for a webhook; `text` alone is what chat programs show."""
    told = {**notice.about, "id": notice.id, "at": at.isoformat(timespec="seconds")}
    return json.dumps({**told, "text": f"{notice.subject}\n{notice.text}"}, ensure_ascii=False).encode()


def send(notice: Notice, way: Channel, settings: NoticeSettings, folder: Path, at: datetime) -> None:
    """Send it one way, in ATTEMPT_SECONDS at most, however slowly a server answers. Raises UnsentError."""
    try:
        with Deadline(ATTEMPT_SECONDS) as deadline:
            if way == "email":
                _mail(email_of(notice, settings, at), settings, folder, deadline)
            else:
                _post(body_of(notice, at), settings.webhook or "", deadline)
    except (OSError, smtplib.SMTPException, http.client.HTTPException, ValueError, SettingsError) as error:
        # The kind only: a server's answer may repeat what it was sent.
        why = str(error) if isinstance(error, SettingsError) else type(error).__name__
        raise UnsentError(f"no {way} could be sent ({why}): check [notice]") from None


class _Heard:
    """What a mail server says, by lines, up to TALK_BYTES."""

    def __init__(self, lines: IO[bytes]) -> None:
        self._lines = lines
        self._left = TALK_BYTES

    def readline(self, most: int) -> bytes:
        """The next line. Raises OSError once it was too much."""
        line = self._lines.readline(most)
        self._left -= len(line)
        if self._left < 0:
            raise OSError("the mail server says too much")
        return line

    def close(self) -> None:
        self._lines.close()


class _MailServer(smtplib.SMTP):
    """A mail server, reached by the deadline's connections; by TLS from the first byte on if `context`."""

    file: _Heard | None

    def __init__(self, host: str, port: int, deadline: Deadline, context: ssl.SSLContext | None) -> None:
        self._deadline = deadline
        self._first = context
        super().__init__(host, port, timeout=TIMEOUT)

    def getreply(self) -> tuple[int, bytes]:
        if self.file is None and self.sock is not None:
            self.file = _Heard(self.sock.makefile("rb"))
        return super().getreply()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = self._deadline.connect((host, port), timeout)
        return made if self._first is None else self._first.wrap_socket(made, server_hostname=host)


def _mail(message: EmailMessage, settings: NoticeSettings, folder: Path, deadline: Deadline) -> None:
    context = ssl.create_default_context(cafile=settings.ca_file and folder / settings.ca_file)
    first = context if settings.tls == "tls" else None
    server = _MailServer(settings.smtp or "", settings.port, deadline, first)
    try:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.password_file is not None:
            password = read_secret(folder / settings.password_file).decode().strip()
            server.login(settings.user or settings.sender or "", password)
        server.send_message(message)
        deadline.check()
        with suppress(OSError, smtplib.SMTPException):  # it has the letter, whatever it says to a goodbye
            server.quit()
    finally:
        server.close()


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is told to one address is told to no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


class _Plain(urllib.request.HTTPHandler):
    """http, by the deadline's connections."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._made = partial(_timed, http.client.HTTPConnection, deadline)

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made, req)


class _Secret(urllib.request.HTTPSHandler):
    """https, by the deadline's connections."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        made = partial(http.client.HTTPSConnection, context=ssl.create_default_context())
        self._made = partial(_timed, made, deadline)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._made, req)


def _timed(
    make: Callable[..., http.client.HTTPConnection], deadline: Deadline, host: str, **more: Any
) -> http.client.HTTPConnection:
    connection = make(host, **more)
    connection._create_connection = deadline.connect  # type: ignore[attr-defined] # no other way keeps proxies
    return connection


def _post(body: bytes, address: str, deadline: Deadline) -> None:
    if urlsplit(address).scheme not in {"https", "http"}:
        raise SettingsError("the webhook is no https address")
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, kind, method="POST")  # noqa: S310 - http or https, see above
    opener = urllib.request.build_opener(_NoRedirect, _Plain(deadline), _Secret(deadline))
    answer = opener.open(request, timeout=TIMEOUT)
    with answer:
        deadline.check()
        with suppress(OSError, http.client.HTTPException):  # it has said yes, whatever comes after that
            answer.read(ANSWER_BYTES)
