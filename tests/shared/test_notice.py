"""Notices: what is sent, over real SMTP and HTTP on loopback, each once, and again where it failed."""

import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared import courier, sending, waiting
from shared.errors import SettingsError
from shared.notice import Notice, NoticeSettings, channels, check
from shared.settings import write_secret
from shared.storage import Writer

AT = datetime(2026, 9, 14, 8, 30, tzinfo=UTC)
SAID = Notice(
    "resolver-1-silent", "Alder: source resolver\nis silent", "Silent – since 10:30.", {"event": "silent"}
)
MAIL: dict[str, Any] = {"sender": "agent@school.example", "to": ("it@school.example", "head@school.example")}


class MailServer:
    """A small SMTP server: EHLO, STARTTLS, AUTH PLAIN, MAIL, RCPT, DATA; keeps what it was given."""

    def __init__(self, context: ssl.SSLContext | None, refuses: bool = False) -> None:
        self.letters: list[Message] = []
        self.to: list[str] = []
        self.login: list[str] = []
        self.encrypted: list[bool] = []
        self.refuses = refuses
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                self._talk(connection)
            except OSError:
                continue  # the other side went away

    def _talk(self, connection: socket.socket) -> None:
        is_secret = False
        connection.sendall(b"220 mail.test\r\n")
        lines = connection.makefile("rb")
        while line := lines.readline():
            word = line.split()[0].upper()
            if word == b"EHLO":
                offered = b"250-STARTTLS\r\n" if self._context and not is_secret else b"250-AUTH PLAIN\r\n"
                connection.sendall(b"250-mail.test\r\n" + offered + b"250 8BITMIME\r\n")
            elif word == b"STARTTLS" and self._context:
                connection.sendall(b"220 go\r\n")
                lines.close()
                connection = self._context.wrap_socket(connection, server_side=True)
                lines, is_secret = connection.makefile("rb"), True
            elif word == b"AUTH":
                self.login.append(line.decode().split()[2])
                connection.sendall(b"235 welcome\r\n")
            elif word == b"RCPT":
                self.to.append(line.decode().strip())
                connection.sendall(b"250 ok\r\n")
            elif word == b"DATA":
                connection.sendall(b"554 no\r\n" if self.refuses else b"354 go\r\n")
                if self.refuses:
                    continue
                body = b""
                while (part := lines.readline()) != b".\r\n":
                    body += part
                self.letters.append(message_from_bytes(body))
                self.encrypted.append(is_secret)
                connection.sendall(b"250 taken\r\n")
            else:
                connection.sendall(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
        lines.close()
        connection.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "ca.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    write_secret(folder / "password", b"s3cret\n")
    return folder


@pytest.fixture
def mail(certificate: Path) -> Iterator[MailServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.pem", certificate / "key.pem")
    server = MailServer(context)
    yield server
    server.close()


@pytest.fixture
def plain() -> Iterator[MailServer]:
    server = MailServer(None)
    yield server
    server.close()


class Hook(BaseHTTPRequestHandler):
    """Answers as the path says: /302 goes elsewhere, /500 is broken, everything else takes it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(body)))  # type: ignore[attr-defined] # set by the fixture
        code = int(self.path[1:]) if self.path[1:].isdigit() else 200
        self.send_response(code)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def do_GET(self) -> None:
        self.server.got.append((self.path, "", {}))  # type: ignore[attr-defined] # set by the fixture
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        del format, args


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.got = []  # type: ignore[attr-defined] # what came
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_letter_goes_by_starttls_with_its_password_and_only_then(
    mail: MailServer, certificate: Path
) -> None:
    settings = NoticeSettings(
        smtp="127.0.0.1", port=mail.port, ca_file="ca.pem", user="agent", password_file="password", **MAIL
    )
    sending.send(SAID, "email", settings, certificate, AT)
    (letter,) = mail.letters
    assert mail.encrypted == [True]
    assert len(mail.login) == 1
    assert letter["Subject"] == "Alder: source resolver is silent"
    assert letter["To"] == "it@school.example, head@school.example"
    assert letter["Message-ID"] == "<resolver-1-silent@commonground.invalid>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "Silent – since 10:30." in letter.get_payload(decode=True).decode()  # type: ignore[union-attr] # one part
    assert len(mail.to) == 2


def test_a_server_that_nobody_vouches_for_gets_nothing(mail: MailServer, tmp_path: Path) -> None:
    with pytest.raises(sending.UnsentError, match="SSLCertVerificationError"):
        sending.send(SAID, "email", NoticeSettings(smtp="127.0.0.1", port=mail.port, **MAIL), tmp_path, AT)
    assert not mail.letters


def test_a_server_without_tls_gets_nothing_unless_that_was_asked_for(
    plain: MailServer, tmp_path: Path
) -> None:
    settings = NoticeSettings(smtp="127.0.0.1", port=plain.port, **MAIL)
    with pytest.raises(sending.UnsentError):
        sending.send(SAID, "email", settings, tmp_path, AT)
    assert not plain.letters
    open_ = NoticeSettings(smtp="127.0.0.1", port=plain.port, tls="none", **MAIL)
    sending.send(SAID, "email", open_, tmp_path, AT)
    assert len(plain.letters) == 1


def test_a_webhook_gets_json_that_chat_programs_show(hook: HTTPServer, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{hook.server_port}/it"
    sending.send(SAID, "webhook", NoticeSettings(webhook=address), tmp_path, AT)
    ((path, kind, body),) = hook.got  # type: ignore[attr-defined] # what came
    assert (path, kind) == ("/it", "application/json")
    assert (body["event"], body["id"], body["at"]) == ("silent", SAID.id, "2026-09-14T08:30:00+00:00")
    assert body["text"].endswith("Silent – since 10:30.")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308, 404, 500])
def test_a_webhook_that_points_elsewhere_or_fails_is_not_followed(
    hook: HTTPServer, tmp_path: Path, code: int
) -> None:
    with pytest.raises(sending.UnsentError):
        settings = NoticeSettings(webhook=f"http://127.0.0.1:{hook.server_port}/{code}")
        sending.send(SAID, "webhook", settings, tmp_path, AT)
    assert [path for path, _, _ in hook.got] == [f"/{code}"]  # type: ignore[attr-defined] # what came


@pytest.mark.parametrize(
    "wrong",
    [
        {"smtp": "mail.example"},
        {"smtp": "mail.example", "sender": "agent", "to": ("it@school.example",)},
        {"smtp": "mail.example", "sender": "a@b.example", "to": ("it@school.example\nBcc: x@y.example",)},
        {"smtp": "mail.example", "user": "agent", **MAIL},
        {"smtp": "mail.example", "user": "agent", "password_file": "p", "tls": "none", **MAIL},
        {"webhook": "file:///etc/passwd"},
        {"webhook": "ftp://school.example/x"},
        {"webhook": "https://"},
    ],
)
def test_settings_by_which_nothing_could_be_sent_are_refused_at_the_start(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"\[notice\]"):
        check(NoticeSettings(**wrong), "agent.toml")  # type: ignore[arg-type] # what somebody might write


def test_without_settings_nothing_goes_anywhere(tmp_path: Path) -> None:
    check(NoticeSettings(), "agent.toml")
    assert channels(NoticeSettings()) == ()
    writer = store(tmp_path)
    assert not writer.run(lambda connection: waiting.put(connection, SAID, NoticeSettings(), 0.0))
    writer.close()


def store(folder: Path) -> Writer:
    return Writer(folder / "n.db", (waiting.add_table,))


def test_what_could_not_be_sent_is_sent_later_and_each_once_however_often_it_is_handed_over(
    hook: HTTPServer, tmp_path: Path
) -> None:
    bad = NoticeSettings(webhook=f"http://127.0.0.1:{hook.server_port}/500")
    good = NoticeSettings(webhook=f"http://127.0.0.1:{hook.server_port}/it")
    writer, now = store(tmp_path), [1000.0]
    assert writer.run(lambda connection: waiting.put(connection, SAID, bad, 1000.0))
    assert not writer.run(lambda connection: waiting.put(connection, SAID, bad, 1001.0))
    assert courier.Courier(writer, bad, tmp_path, lambda: now[0]).look() == 0
    sender = courier.Courier(writer, good, tmp_path, lambda: now[0])
    assert sender.look() == 0, "a minute has to pass"
    now[0] += 61
    assert sender.look() == 1
    now[0] += 10_000
    assert sender.look() == 0
    assert not writer.run(lambda connection: waiting.put(connection, SAID, good, now[0]))
    writer.close()


def test_after_a_day_of_trying_it_is_given_up(hook: HTTPServer, tmp_path: Path) -> None:
    bad = NoticeSettings(webhook=f"http://127.0.0.1:{hook.server_port}/500")
    writer, now = store(tmp_path), [1000.0]
    writer.run(lambda connection: waiting.put(connection, SAID, bad, 1000.0))
    sender = courier.Courier(writer, bad, tmp_path, lambda: now[0])
    for _ in range(40):
        sender.look()
        now[0] += 3601
    tried = len(hook.got)  # type: ignore[attr-defined] # what came
    assert 20 <= tried <= 30
    writer.run(lambda connection: waiting.prune(connection, now[0] + 100 * 86400))
    assert (
        writer.run(lambda connection: connection.execute("SELECT count(*) FROM notices").fetchone())[0] == 0
    )
    writer.close()


def test_a_password_is_refused_without_tls_whether_or_not_a_user_is_named() -> None:
    for user in ("agent", None):
        said = NoticeSettings(smtp="mail", tls="none", user=user, password_file="secrets/smtp", **MAIL)
        with pytest.raises(SettingsError, match="without TLS"):
            check(said, "agent.toml")


@pytest.mark.parametrize("address", ["http://[", "https://[::1", "file:///etc/passwd", "https://", "//x"])
def test_a_webhook_that_is_no_address_is_one_line(address: str) -> None:
    with pytest.raises(SettingsError, match="https://"):
        check(NoticeSettings(webhook=address), "agent.toml")


def test_nothing_in_a_subject_becomes_a_header_of_its_own() -> None:
    said = Notice("x-1-silent", "A\r\nBcc: thief@evil.example\n\nbody\x0b\x00", "text", {})
    letter = sending.email_of(said, NoticeSettings(smtp="mail", **MAIL), AT)
    assert letter["Bcc"] is None
    assert message_from_bytes(letter.as_bytes())["Bcc"] is None
