"""Programs that people send mail with, each behind one way to call it."""

from __future__ import annotations

import base64
import shutil
import smtplib
import ssl
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from live.gate import SUBMISSION, SUBMISSION_TLS, User
from live.program import run
from sessions import Smtp, SmtpTls


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent, by whom, to where."""

    host: str
    implicit_tls: bool
    ca_file: Path
    user: User
    recipient: str
    content: Path
    mechanism: str = "PLAIN"

    @property
    def port(self) -> int:
        return SUBMISSION_TLS if self.implicit_tls else SUBMISSION


@dataclass(frozen=True, slots=True)
class Result:
    """Whether the client says that the mail was taken, and all that it said."""

    taken: bool
    text: str


@dataclass(frozen=True, slots=True)
class Client:
    """A way to send a letter, and the mechanisms that it knows."""

    name: str
    program: str
    mechanisms: tuple[str, ...]
    send: Callable[[Letter], Result]


def _ran(completed: subprocess.CompletedProcess[str]) -> Result:
    return Result(completed.returncode == 0, completed.stdout)


def _swaks(letter: Letter) -> Result:
    return _ran(
        run(
            "swaks", "--server", letter.host, "--port", str(letter.port),
            "--tls-on-connect" if letter.implicit_tls else "--tls", "--tls-verify",
            "--tls-ca-path", letter.ca_file, "--auth", letter.mechanism,
            "--auth-user", letter.user.name, "--auth-password", letter.user.password,
            "--helo", "client.example", "--from", letter.user.address, "--to", letter.recipient,
            "--data", f"@{swaks_data(letter.content)}",
        )
    )  # fmt: skip


def swaks_data(content: Path) -> Path:
    """A copy for swaks, which ends the last line itself and always."""
    path = content.with_suffix(".swaks")
    path.write_bytes(content.read_bytes().removesuffix(b"\r\n"))
    return path


def _curl(letter: Letter) -> Result:
    scheme = "smtps" if letter.implicit_tls else "smtp"
    return _ran(
        run(
            "curl", "--silent", "--show-error", "--verbose", "--ssl-reqd", "--cacert", letter.ca_file,
            "--user", f"{letter.user.name}:{letter.user.password}",
            "--login-options", f"AUTH={letter.mechanism}", "--mail-from", letter.user.address,
            "--mail-rcpt", letter.recipient, "--upload-file", letter.content,
            f"{scheme}://{letter.host}:{letter.port}/client.example",
        )
    )  # fmt: skip


def _msmtp(letter: Letter) -> Result:
    return _ran(
        run(
            "msmtp", "--file=/dev/null", f"--host={letter.host}", f"--port={letter.port}", "--tls=on",
            f"--tls-starttls={'off' if letter.implicit_tls else 'on'}", f"--tls-trust-file={letter.ca_file}",
            f"--auth={letter.mechanism.lower()}", f"--user={letter.user.name}",
            f"--passwordeval=cat '{_password_file(letter)}'", f"--from={letter.user.address}",
            "--set-from-header=off", "--set-date-header=off", "--set-msgid-header=off",
            "--remove-bcc-headers=off", "--domain=client.example", "--debug", "--", letter.recipient,
            given=letter.content.read_bytes().replace(b"\r\n", b"\n"),
        )
    )  # fmt: skip


def _password_file(letter: Letter) -> Path:
    path = letter.content.with_suffix(".password")
    path.write_text(letter.user.password)
    return path


def _smtplib(letter: Letter) -> Result:
    context = ssl.create_default_context(cafile=str(letter.ca_file))
    try:
        with _smtplib_connection(letter, context) as client:
            client.user, client.password = letter.user.name, letter.user.password
            mechanism = {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[letter.mechanism]
            client.auth(letter.mechanism, mechanism)
            client.sendmail(letter.user.address, [letter.recipient], letter.content.read_bytes())
    except smtplib.SMTPRecipientsRefused as refused:
        code, text = refused.recipients[letter.recipient]
        return Result(False, f"{code} {text.decode()}")
    except smtplib.SMTPResponseException as refused:
        return Result(False, f"{refused.smtp_code} {refused.smtp_error!r}")
    return Result(True, "")


def _smtplib_connection(letter: Letter, context: ssl.SSLContext) -> smtplib.SMTP:
    if letter.implicit_tls:
        client: smtplib.SMTP = SmtpTls(letter.host, letter.port, context=context)
    else:
        client = Smtp(letter.host, letter.port)
        client.starttls(context=context)
    client.ehlo()
    return client


def _openssl(letter: Letter) -> Result:
    """A conversation by hand through `openssl s_client`, a line at a time as a person types it."""
    starttls = [] if letter.implicit_tls else ["-starttls", "smtp", "-name", "client.example"]
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"{letter.host}:{letter.port}", *starttls,
         "-CAfile", letter.ca_file, "-verify_return_error", "-verify_ip", letter.host, "-quiet", "-crlf"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    too_long = threading.Timer(60, process.kill)
    too_long.start()
    with process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        said: list[str] = []

        def reply() -> int:
            while line := stdout.readline().decode("utf-8", "replace"):
                said.append(line)
                if line[3:4] != "-":
                    return int(line[:3]) if line[:3].isdigit() else 0
            return 0

        def say(text: str) -> int:
            said.append(f"> {text}\n")
            stdin.write(f"{text}\n".encode())
            stdin.flush()
            return reply()

        if letter.implicit_tls:
            reply()  # with -starttls s_client has read the greeting itself
        code = 0
        plain = base64.b64encode(f"\0{letter.user.name}\0{letter.user.password}".encode()).decode()
        content = letter.content.read_bytes().decode("utf-8").replace("\r\n", "\n").replace("\n.", "\n..")
        for line in (
            "EHLO client.example", f"AUTH PLAIN {plain}", f"MAIL FROM:<{letter.user.address}>",
            f"RCPT TO:<{letter.recipient}>", "DATA", content + ".",
        ):  # fmt: skip
            code = say(line)
            if not 200 <= code < 400:
                break
        taken = code == 250
        say("QUIT")
    too_long.cancel()
    return Result(taken, "".join(said))


CLIENTS = (
    Client("swaks", "swaks", ("PLAIN", "LOGIN"), _swaks),
    Client("curl", "curl", ("PLAIN", "LOGIN"), _curl),
    Client("msmtp", "msmtp", ("PLAIN", "LOGIN", "SCRAM-SHA-256"), _msmtp),
    Client("smtplib", "", ("PLAIN", "LOGIN"), _smtplib),
    Client("openssl", "openssl", ("PLAIN",), _openssl),
)


def installed(client: Client) -> bool:
    """Its program is on this machine."""
    return not client.program or shutil.which(client.program) is not None


def send_plain(
    host: str, port: int, sender: str, recipients: list[str], content: bytes, *,
    mail_options: tuple[str, ...] = (), ca_file: Path | None = None,
) -> None:  # fmt: skip
    """The message was taken by host:port without a login; over TLS where `ca_file` says who is trusted.

    Raises: smtplib.SMTPException with the reply when it was not.
    """
    with Smtp(host, port) as client:
        if ca_file:
            client.starttls(context=ssl.create_default_context(cafile=str(ca_file)))
        client.ehlo()
        client.sendmail(sender, recipients, content, mail_options=mail_options)
