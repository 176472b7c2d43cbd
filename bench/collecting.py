"""The servers whose POP3 is measured, and the mailboxes they have in common."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from typing import Protocol

from account import Account
from gatepost.config.load import load
from gatepost.directory.password import Passwords
from gatepost.secret import Secret
from gatepost.store.accounts import Accounts
from gatepost.store.mailboxname import folder_name
from gatepost.store.place import Place
from live import loopback
from live.authority import Authority
from live.gate import GATEPOST, SOURCES
from live.program import START_SECONDS, Program, ProgramFailed

PASSWORD = "one-long-passphrase-for-the-bench"
PORT = 2995
POLLED, READ, MESSAGES, SIZE_BYTES = 50, 10, 1000, 10_240
USERS = [f"poll{n}@load.example" for n in range(POLLED)] + [f"full{n}@load.example" for n in range(READ)]


class Server(Protocol):
    """POP3 over TLS at host:port with the mailboxes of `USERS`."""

    name: str
    host: str
    port: int
    account: Account

    def start(self) -> None: ...

    def stop(self) -> None: ...


def fill(mailbox: Path, messages: int) -> None:
    """A Maildir with so many messages that were seen before, stored and named as either server does it.

    Lines end in LF on the disk; SIZE_BYTES is the size over POP3.
    """
    for name in ("cur", "new", "tmp"):
        (mailbox / name).mkdir(parents=True)
    line = b"The quick brown fox jumps over the lazy dog and then writes a letter.\r\n"
    for number in range(messages):
        head = b"From: a@load.example\r\nSubject: message %d\r\n\r\n" % number
        whole = (head + line * (SIZE_BYTES // len(line) + 1))[: SIZE_BYTES - 3].rstrip(b"\r\n")
        whole += b"." * (SIZE_BYTES - 2 - len(whole)) + b"\r\n"
        stored = whole.replace(b"\r\n", b"\n")
        name = f"{1_700_000_000 + number}.M{number}P1.host,S={len(stored)},W={SIZE_BYTES}:2,S"
        (mailbox / "cur" / name).write_bytes(stored)


def _mailboxes(root: Path, named: dict[str, str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for user, folder in named.items():
        fill(root / folder, MESSAGES if user.startswith("full") else 0)


class Gatepost:
    """Gatepost as it is installed here, with all that is on by default."""

    def __init__(self, folder: Path, authority: Authority, *, workers: int | None = None) -> None:
        self.name, self.port = "gatepost", PORT
        self.host = loopback.address(PORT)
        self._folder = folder
        folder.mkdir()
        self._write(authority, f"workers = {workers}" if workers else "")
        place = Place(load(folder / "gatepost.toml").state)
        place.accounts.parent.mkdir(parents=True, exist_ok=True)
        self._add_users(Accounts.open(place.accounts))
        _mailboxes(place.mailboxes, {user: folder_name(user) for user in USERS})

    def start(self) -> None:
        self.account = Account(self.name)
        log = self._folder / "log"
        log.unlink(missing_ok=True)
        arguments = (*GATEPOST, "-c", self._folder / "gatepost.toml", "run")
        self._program = Program(
            self.account.within(*arguments, log=log),
            folder=self._folder,
            environment={"PYTHONPATH": str(SOURCES)},
        )
        self.account.root = self._program.pid
        deadline = time.monotonic() + START_SECONDS
        while not log.exists() or "\nready\n" not in f"\n{log.read_text()}":
            if self._program.process.poll() is not None or time.monotonic() > deadline:
                raise ProgramFailed(f"Gatepost does not serve:\n{log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        self._program.stop()
        self.account.close()

    def _add_users(self, accounts: Accounts) -> None:
        passwords = Passwords()
        credential = passwords.credential(Secret(PASSWORD))
        passwords.close()
        for user in USERS:
            accounts.users.add(user, domains=["load.example"], by="bench", credential=credential)
        accounts.close()

    def _write(self, authority: Authority, workers: str) -> None:
        certificate = authority.issue("mail.bench.example", self.host)
        (self._folder / "gatepost.toml").write_text(
            f"""\
hostname = "mail.bench.example"
state = "state"
{workers}
[domains."load.example"]
deliver = "mailbox"

[certificates.default]
chain = "{certificate.chain}"
key = "{certificate.key}"

[pop3.mail]
listen = ["{self.host}:{PORT}"]
tls = "implicit"
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["collect"], to = "authenticated" }},
]

[limits]
connections = 20_000
connections_per_peer = 20_000
"""
        )


class Dovecot:
    """Debian's Dovecot in its high-performance mode: its processes serve many sessions each."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.name, self.port = "dovecot", PORT
        self.host = loopback.address(PORT)
        self._folder = folder
        folder.mkdir(mode=0o755)
        _mailboxes(folder / "mail", {user: user for user in USERS})
        for path in (folder / "mail").rglob("*"):
            shutil.chown(path, "dovecot", "dovecot")
        shutil.chown(folder / "mail", "dovecot", "dovecot")
        self._write(authority)

    def start(self) -> None:
        self.account = Account(self.name)
        log = self._folder / "out"
        self._program = Program(
            self.account.within("dovecot", "-F", "-c", self._folder / "dovecot.conf", log=log),
            folder=self._folder,
        )
        self.account.root = self._program.pid
        self._program.wait_for_port(self.host, PORT)

    def stop(self) -> None:
        self._program.stop()
        for pid in self.account.processes():
            os.kill(pid, signal.SIGKILL)  # ours: they were started inside our group
        self.account.close()

    def _write(self, authority: Authority) -> None:
        folder, certificate = self._folder, authority.issue("dovecot.bench.example", self.host)
        (folder / "users").write_text("".join(f"{user}:{{PLAIN}}{PASSWORD}\n" for user in USERS))
        (folder / "users").chmod(0o644)
        (folder / "dovecot.conf").write_text(
            f"""\
protocols = pop3
listen = {self.host}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/log
ssl = required
ssl_cert = <{certificate.chain}
ssl_key = <{certificate.key}
auth_mechanisms = plain
mail_location = maildir:{folder}/mail/%u
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
mail_max_userip_connections = 0
pop3_no_flag_updates = yes
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=dovecot gid=dovecot home={folder}/mail/%u
}}
service pop3-login {{
  service_count = 0
  process_min_avail = 2
  process_limit = 4
  client_limit = 3000
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {PORT}
    ssl = yes
  }}
}}
service pop3 {{
  service_count = 1000
  process_min_avail = 4
  process_limit = 200
}}
service auth {{
  client_limit = 8000
}}
service anvil {{
  client_limit = 8000
}}
"""
        )
