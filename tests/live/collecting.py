"""A Gatepost that serves POP3, and the programs that people collect mail with, each behind one call."""

from __future__ import annotations

import poplib
import shutil
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gatepost.store.mailboxname import folder_name
from gatepost.store.place import Place
from live import loopback
from live.authority import Authority
from live.gate import ANN, HOSTNAME, INTERNET, Gate, User
from live.program import Program, run
from patience import until
from sessions import Pop3, Pop3Tls, Smtp

POP3, POP3_TLS = 1100, 9950
_TABLES = """
[pop3.mail]
listen = ["{host}:{pop3}"]
tls = "require"
access = [ {{ allow = ["connect", "collect"], to = "anyone" }} ]

[pop3.mail-tls]
listen = ["{host}:{pop3_tls}"]
tls = "implicit"
access = [ {{ allow = ["connect"], to = "anyone" }}, {{ allow = ["collect"], to = "authenticated" }} ]
"""


class Pop3Gate(Gate):
    """The gate of the other tests, with POP3."""

    def __init__(self, accounts: Path, folder: Path, authority: Authority) -> None:
        super().__init__(accounts, folder, authority, "")
        self.ca_file = authority.ca_file

    def _configure(self, host: str) -> None:
        super()._configure(host)
        with (self.folder / "gatepost.toml").open("a") as file:
            file.write(_TABLES.format(host=host, pop3=POP3, pop3_tls=POP3_TLS))

    def mailbox(self, user: User = ANN) -> Path:
        return Place(self.folder / "state").mailboxes / folder_name(user.name)

    def deliver(self, *contents: bytes, user: User = ANN) -> None:
        """The messages came over SMTP, one after another, and lie in the user's mailbox."""
        for content in contents:
            before = len(self.stored(user))
            with Smtp(self.host, INTERNET) as client:
                client.sendmail("you@elsewhere.example", [user.address], content)
            until(lambda before=before: len(self.stored(user)) > before, why=lambda: self.log)

    def stored(self, user: User = ANN) -> list[Path]:
        """The files of the user's mailbox."""
        folders = [self.mailbox(user) / name for name in ("new", "cur")]
        return sorted(file for folder in folders if folder.is_dir() for file in folder.iterdir())

    def poplib(self, user: User = ANN) -> poplib.POP3_SSL:
        """Logged in."""
        trusting = ssl.create_default_context(cafile=str(self.ca_file))
        client = Pop3Tls(self.host, POP3_TLS, context=trusting)
        try:
            client.user(user.name)
            client.pass_(user.password)
        except poplib.error_proto:
            client.close()
            raise
        return client


@dataclass(frozen=True, slots=True)
class Errand:
    """What is to be collected: all mail, and whether it stays on the server. `folder` is the client's own."""

    gate: Pop3Gate
    user: User
    implicit_tls: bool
    keep: bool
    folder: Path

    @property
    def port(self) -> int:
        return POP3_TLS if self.implicit_tls else POP3

    def write(self, name: str, text: str) -> Path:
        """A file that nobody else may read, as such clients demand."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def maildir(self) -> Path:
        for name in ("cur", "new", "tmp"):
            (self.folder / "inbox" / name).mkdir(parents=True, exist_ok=True)
        return self.folder / "inbox"

    def collected(self) -> list[bytes]:
        """What lies in the client's Maildir."""
        return [file.read_bytes() for file in sorted((self.folder / "inbox" / "new").iterdir())]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the client says it went well, what it collected, and what it said."""

    well: bool
    messages: list[bytes]
    text: str


@dataclass(frozen=True, slots=True)
class Collector:
    """A program that collects mail."""

    name: str
    program: str
    collect: Callable[[Errand], Outcome]


def _poplib(errand: Errand) -> Outcome:
    trusting = ssl.create_default_context(cafile=str(errand.gate.ca_file))
    client: poplib.POP3
    if errand.implicit_tls:
        client = Pop3Tls(errand.gate.host, errand.port, context=trusting)
    else:
        client = Pop3(errand.gate.host, errand.port)
        client.stls(trusting)
    try:
        client.user(errand.user.name)
        client.pass_(errand.user.password)
        messages = []
        for number in range(1, client.stat()[0] + 1):
            messages.append(b"\n".join(client.retr(number)[1]) + b"\n")
            if not errand.keep:
                client.dele(number)
        client.quit()
    except poplib.error_proto as refused:
        client.close()
        return Outcome(False, [], str(refused))
    return Outcome(True, messages, "")


def _curl(errand: Errand) -> Outcome:
    base = f"{'pop3s' if errand.implicit_tls else 'pop3'}://{errand.gate.host}:{errand.port}"
    common = ("curl", "--silent", "--show-error", "--verbose", "--ssl-reqd", "--cacert", errand.gate.ca_file,
              "--user", f"{errand.user.name}:{errand.user.password}")  # fmt: skip
    listed = run(*common, "--output", errand.folder / "list", f"{base}/")
    if listed.returncode:
        return Outcome(False, [], listed.stdout)
    numbers = [line.split()[0] for line in (errand.folder / "list").read_text().splitlines()]
    messages, said = [], listed.stdout
    for number in numbers:
        said += run(*common, "--output", errand.folder / number, f"{base}/{number}").stdout
        messages.append((errand.folder / number).read_bytes().replace(b"\r\n", b"\n"))
    if not errand.keep:
        for _number in numbers:  # each call is a session, and deleting renumbers
            said += run(*common, "--request", "DELE 1", "--head", f"{base}/").stdout
    return Outcome(True, messages, said)


def _fetchmail(errand: Errand) -> Outcome:
    way = "ssl" if errand.implicit_tls else "sslproto tls1.2+"
    settings = errand.write("fetchmailrc", f"""\
poll {errand.gate.host} service {errand.port} protocol pop3 auth password timeout 60
  user "{errand.user.name}" password "{errand.user.password}" {way} sslcertck
  sslcommonname "{HOSTNAME}"
  sslcertfile "{errand.gate.ca_file}" {"keep" if errand.keep else "nokeep"} fetchall no rewrite
  mda "{_maildrop(errand)}"
""")  # fmt: skip
    environment = {"FETCHMAILHOME": str(errand.folder), "HOME": str(errand.folder)}
    done = run("fetchmail", "-v", "-f", settings, "--idfile", errand.folder / "ids",
               "--pidfile", errand.folder / "pid", environment=environment)  # fmt: skip
    return Outcome(done.returncode in (0, 1), errand.collected(), done.stdout)  # 1: there was no mail


def _maildrop(errand: Errand) -> str:
    """A delivery agent that writes each message into a file of its own, in the order they come."""
    script = errand.write("deliver", f'#!/bin/sh\nexec cat > "{errand.maildir()}/new/$(date +%s.%N)"\n')
    script.chmod(0o700)
    return str(script)


def _getmail(errand: Errand) -> Outcome:
    # getmail knows no STLS: over TLS from the first byte alone
    errand.write("getmailrc", f"""\
[retriever]
type = SimplePOP3SSLRetriever
server = {errand.gate.host}
port = {POP3_TLS}
username = {errand.user.name}
password = {errand.user.password}
ca_certs = {errand.gate.ca_file}
[destination]
type = MDA_external
path = {_maildrop(errand)}
allow_root_commands = true
[options]
delete = {not errand.keep}
delivered_to = false
received = false
verbose = 2
""")  # fmt: skip
    done = run("getmail", "--getmaildir", errand.folder, "--rcfile", "getmailrc",
               environment={"HOME": str(errand.folder)})  # fmt: skip
    well = done.returncode == 0 and "error" not in done.stdout.lower()
    return Outcome(well, errand.collected(), done.stdout)


def _mpop(errand: Errand) -> Outcome:
    settings = errand.write("mpoprc", f"""\
defaults
tls on
tls_starttls {"off" if errand.implicit_tls else "on"}
tls_trust_file {errand.gate.ca_file}
account gate
host {errand.gate.host}
port {errand.port}
user {errand.user.name}
password "{errand.user.password}"
keep {"on" if errand.keep else "off"}
received_header off
delivery maildir {errand.maildir()}
uidls_file {errand.folder}/uidls
""")  # fmt: skip
    done = run("mpop", f"--file={settings}", "--debug", "gate", environment={"HOME": str(errand.folder)})
    return Outcome(done.returncode == 0, errand.collected(), done.stdout)


COLLECTORS = (
    Collector("poplib", "true", _poplib),
    Collector("curl", "curl", _curl),
    Collector("fetchmail", "fetchmail", _fetchmail),
    Collector("getmail", "getmail", _getmail),
    Collector("mpop", "mpop", _mpop),
)


class Imap:
    """Debian's Dovecot serving IMAP in clear over the mailboxes of a gate, to anybody by any password."""

    PORT = 1430

    def __init__(self, gate_: Pop3Gate, folder: Path) -> None:
        self.host = loopback.address(self.PORT)
        folder.mkdir(exist_ok=True)
        root = gate_.mailbox().parent
        for path in (root, *root.rglob("*")):  # Dovecot never works as root, Gatepost in a test may
            shutil.chown(path, "dovecot", "dovecot")
        for path in root.parents[: len(root.parents) - 2]:
            path.chmod(path.stat().st_mode | 0o711)
        (folder / "dovecot.conf").write_text(f"""\
protocols = imap
listen = {self.host}
base_dir = {folder}/run
state_dir = {folder}/run
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{root}/%u
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = home={root}/%u
}}
service imap-login {{
  inet_listener imap {{
    port = {self.PORT}
  }}
}}
""")
        self._program = Program(["dovecot", "-F", "-c", folder / "dovecot.conf"], folder=folder)
        self._program.wait_for_port(self.host, self.PORT)

    @property
    def log(self) -> str:
        return self._program.output

    def stop(self) -> None:
        self._program.stop()
