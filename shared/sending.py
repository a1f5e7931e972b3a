"""Notices sent: as e-mail by SMTP, or to a webhook as JSON. Making them is pure, sending is apart."""

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import urlsplit

from shared.errors import CommonGroundError, SettingsError
from shared.notice import Channel, Notice, NoticeSettings
from shared.settings import read_secret

TIMEOUT: Final = 20.0
ANSWER_BYTES: Final = 4096


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
    """Send it one way, waiting at most some twenty seconds a step. Raises UnsentError."""
    try:
        if way == "email":
            _mail(email_of(notice, settings, at), settings, folder)
        else:
            _post(body_of(notice, at), settings.webhook or "")
    except (OSError, smtplib.SMTPException, http.client.HTTPException, ValueError, SettingsError) as error:
        # The kind only: a server's answer may repeat what it was sent.
        why = str(error) if isinstance(error, SettingsError) else type(error).__name__
        raise UnsentError(f"no {way} could be sent ({why}): check [notice]") from None


def _mail(message: EmailMessage, settings: NoticeSettings, folder: Path) -> None:
    host, port = settings.smtp or "", settings.port
    context = ssl.create_default_context(cafile=settings.ca_file and folder / settings.ca_file)
    if settings.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if settings.tls == "starttls":
            server.starttls(context=context)
        if settings.password_file is not None:
            password = read_secret(folder / settings.password_file).decode().strip()
            server.login(settings.user or settings.sender or "", password)
        server.send_message(message)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What is told to one address is told to no other."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None


def _post(body: bytes, address: str) -> None:
    if urlsplit(address).scheme not in {"https", "http"}:
        raise SettingsError("the webhook is no https address")
    kind = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, kind, method="POST")  # noqa: S310 - http or https, see above
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT) as answer:
        answer.read(ANSWER_BYTES)
