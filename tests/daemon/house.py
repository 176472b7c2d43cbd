"""A real daemon with its workers, as a program of its own on an address that no other test has."""

from __future__ import annotations

import poplib
import shutil
import smtplib
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gatepost.admin.link import Refused, ask_daemon
from gatepost.store.place import Place
from live import loopback
from live.program import Program
from patience import until
from sessions import Pop3, Smtp

SOURCES = Path(__file__).parents[2] / "src"
HOSTNAME, DOMAIN, PASSWORD = "mail.example.org", "example.org", "correct horse battery"
INTERNET, EXTRA, SUBMISSION, POP3, SPARE = 2525, 2526, 2587, 2110, 2599
PORTS = (INTERNET, EXTRA, SUBMISSION, POP3, SPARE)

HEAD = """\
hostname = "{hostname}"
state = "state"
workers = {workers}

[domains."{domain}"]
deliver = "mailbox"

[certificates.default]
chain = "certs/mail.pem"
key = "certs/mail.key"

[limits]
connections_per_peer = 500
messages_per_minute_per_user = 1_000_000
recipients_per_day_per_user = 1_000_000_000

[guard]
trusted = ["127.0.0.0/8"]

[routes."*"]
via = "capture:outbox"
"""
ACCESS_OF_ALL = '[ { allow = ["connect", "submit"], to = "anyone" } ]'


def internet(port: int = INTERNET, *, name: str = "internet", access: str = ACCESS_OF_ALL) -> str:
    return f'[smtp.{name}]\nlisten = ["{{host}}:{port}"]\ntls = "offer"\nauth = []\naccess = {access}\n'


def submission(port: int = SUBMISSION) -> str:
    """Whoever is logged in relays, in clear."""
    return f"""[smtp.submission]
listen = ["{{host}}:{port}"]
tls = "off"
auth = ["PLAIN"]
auth_in_clear = true
access = [
  {{ allow = ["connect"], to = "net:127.0.0.0/8" }},
  {{ allow = ["submit", "relay"], to = "authenticated" }},
]
"""


def pop3(port: int = POP3) -> str:
    return (
        f'[pop3.mail]\nlisten = ["{{host}}:{port}"]\ntls = "offer"\nauth_in_clear = true\n'
        'access = [ { allow = ["connect", "collect"], to = "net:127.0.0.0/8" } ]\n'
    )


class House:
    """A Gatepost that can be started, killed and started again over the same folder."""

    def __init__(self, folder: Path, *, workers: int = 1) -> None:
        self.folder, self.workers = folder, workers
        self.host = loopback.address(*PORTS)
        self.file = folder / "gatepost.toml"
        self.place = Place(folder / "state")
        self.program: Program | None = None

    @classmethod
    def copy(cls, furnished: Path, folder: Path, *, workers: int = 1) -> House:
        shutil.copytree(furnished, folder)
        return cls(folder, workers=workers)

    def text(self, *servers: str, more: str = "") -> str:
        head = HEAD.format(hostname=HOSTNAME, domain=DOMAIN, workers=self.workers)
        return head + more + "\n".join(server.replace("{host}", self.host) for server in servers)

    def write(self, *servers: str, more: str = "") -> None:
        self.file.write_text(self.text(*servers, more=more))

    def start(self) -> None:
        """It has said "ready"."""
        self.program = Program(
            [sys.executable, "-m", "gatepost.daemon", str(self.file)],
            folder=self.folder,
            environment={"PYTHONPATH": str(SOURCES)},
        )
        self.program.wait_for_line(lambda line: line.strip() == "ready")

    def stop(self) -> int:
        program, self.program = self.program, None
        return program.stop() if program else 0

    def kill(self) -> None:
        program, self.program = self.program, None
        if program:
            program.kill()

    @property
    def running(self) -> Program:
        assert self.program is not None
        return self.program

    def ask(self, verb: str, **fields: Any) -> Any:
        return ask_daemon(self.place.control, verb, **fields)

    def reload(self, *servers: str, more: str = "") -> int:
        """The file says this now and is in force; its generation."""
        self.write(*servers, more=more)
        return int(self.ask("reload", by="test")["generation"])

    def refusal(self, verb: str = "reload", **fields: Any) -> str:
        """What is said when it is refused."""
        try:
            self.ask(verb, **fields)
        except Refused as refusal:
            return str(refusal)
        raise AssertionError(f"{verb} was not refused")

    def status(self) -> Any:
        return self.ask("status")

    def worker_pids(self) -> list[int]:
        """Of the workers that live."""
        children = Path(f"/proc/{self.running.pid}/task/{self.running.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"gatepost.worker" in _command(int(pid))]

    # clients

    def smtp(self, port: int = INTERNET) -> smtplib.SMTP:
        return Smtp(self.host, port)

    @contextmanager
    def pop(self, port: int = POP3) -> Iterator[poplib.POP3]:
        session = Pop3(self.host, port)
        try:
            yield session
        finally:
            session.close()

    def greeting(self, port: int) -> bytes:
        """The first line said there; b"" where nobody listens, or does no longer."""
        try:
            with socket.create_connection((self.host, port), timeout=30) as end, end.makefile("rb") as lines:
                return lines.readline()
        except (ConnectionRefusedError, ConnectionResetError):
            return b""

    def mail(self) -> list[bytes]:
        """The messages that lie in the mailbox."""
        found: list[bytes] = []
        for folder in ("new", "cur"):
            for path in self.place.mailboxes.glob(f"**/{folder}/*"):
                with suppress(FileNotFoundError):  # moved meanwhile
                    found.append(path.read_bytes())
        return found

    def wait_for_mail(self, count: int, seconds: float = 60.0) -> list[bytes]:
        """The mailboxes hold so many messages."""
        # delivery says nothing that could be awaited
        until(lambda: len(self.mail()) >= count, seconds=seconds, why=lambda: len(self.mail()))
        return self.mail()

    def wait_for_workers(self, count: int, seconds: float = 60.0) -> Any:
        """The status in which so many workers answer."""
        until(lambda: len(self.status()["workers"]) >= count, seconds=seconds, why=self.status)
        return self.status()

    def log_lines(self, event: str) -> list[str]:
        return [line for line in self.running.output.splitlines() if f" {event}" in line]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def message(marker: str) -> str:
    return f"From: stranger@example.net\r\nTo: ann@example.org\r\nSubject: {marker}\r\n\r\n{marker}\r\n"


def send(session: smtplib.SMTP, marker: str, rcpt: str = f"ann@{DOMAIN}") -> None:
    """Raises SMTPException when it is not accepted."""
    session.sendmail("stranger@example.net", [rcpt], message(marker))
