"""The servers that are measured: Gatepost, and a Postfix tuned for the same work."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Protocol

from account import Account
from live import loopback
from live.authority import Authority
from live.gate import GATEPOST, SOURCES, command, done
from live.postfix import DAEMONS, MASTER
from live.program import Program, ProgramFailed, run

USER, PASSWORD = "bench@load.example", "one long passphrase for the bench"
PORT = 2587
MESSAGE_LIMIT = 157_286_400


class Peer(Protocol):
    """A relay with STARTTLS and AUTH PLAIN at host:PORT that sends everything to one next hop."""

    name: str
    host: str
    account: Account

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Gatepost:
    """Gatepost as it is installed here, with all that is on by default."""

    def __init__(self, sink: str, authority: Authority, *, workers: int | None = None) -> None:
        self.name = "gatepost"
        self.host = loopback.address(PORT)
        self._sink, self._workers = sink, workers
        self._certificate = authority.issue("mail.bench.example", self.host)
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-"))
        self._made = False

    def start(self) -> None:
        if not self._made:
            self._make()
        self.account = Account(self.name)
        log = self.folder / "log"
        arguments = (*GATEPOST, "-c", self.folder / "gatepost.toml", "run")
        self._program = Program(
            self.account.within(*arguments, log=log),
            folder=self.folder,
            environment={"PYTHONPATH": str(SOURCES)},
        )
        self.account.root = self._program.pid
        try:
            self._program.wait_for_port(self.host, PORT)
        except ProgramFailed as failed:
            raise ProgramFailed(f"{failed}\n{log.read_text()}") from None

    def stop(self) -> None:
        self._program.stop()
        self.account.close()

    def remove(self) -> None:
        """Nothing of it is left on the disk."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self) -> None:
        self._write()
        done(command(self.folder, "user", "add", USER, "--password-stdin", given=PASSWORD + "\n"))
        command(self.folder, "group", "add", "POP3 Relay")  # `init` would have made it
        done(command(self.folder, "group", "join", "POP3 Relay", USER))
        self._made = True

    def _write(self) -> None:
        workers = f"workers = {self._workers}\n" if self._workers else ""
        (self.folder / "gatepost.toml").write_text(
            f"""\
hostname = "mail.bench.example"
state = "state"
{workers}
[domains."load.example"]
deliver = "mailbox"

[certificates.default]
chain = "{self._certificate.chain}"
key = "{self._certificate.key}"

[smtp.submission]
listen = ["{self.host}:{PORT}"]
tls = "require"
auth = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]
access = [
  {{ allow = ["connect"], to = "anyone" }},
  {{ allow = ["submit", "relay"], to = "group:POP3 Relay" }},
]

[routes."*"]
via = "smtp://{self._sink}"
tls = "off"

[limits]
message_size_bytes = {MESSAGE_LIMIT}
connections = 20_000
connections_per_peer = 20_000
messages_per_minute_per_user = 100_000_000
recipients_per_day_per_user = 1_000_000_000
"""
        )


class Postfix:
    """Debian's Postfix with its limits lifted, its passwords checked by Dovecot, its log given to syslog."""

    def __init__(self, sink: str, authority: Authority, *, processes: int = 150) -> None:
        self.name = "postfix"
        self.host = loopback.address(PORT)
        self._sink, self._processes = sink, processes
        self._certificate = authority.issue("mx.bench.example", self.host)
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-bench-postfix-"))
        self.folder.chmod(0o755)
        self._write()
        checked = run("/usr/sbin/postfix", "-c", self.folder / "etc", "check")
        if checked.returncode:
            raise ProgramFailed(f"postfix check: {checked.stdout}")

    def start(self) -> None:
        self.account = Account(self.name)
        self._dovecot = Program(
            self.account.within(
                "dovecot", "-F", "-c", self.folder / "dovecot.conf", log=self.folder / "dovecot.out"
            ),
            folder=self.folder,
        )
        self._master = Program(
            self.account.within(
                DAEMONS / "master", "-c", self.folder / "etc", "-s", log=self.folder / "master.out"
            ),
            folder=self.folder,
        )
        self.account.root = self._master.pid
        self._master.wait_for_port(self.host, PORT)

    def stop(self) -> None:
        self._master.stop()
        self._dovecot.stop()
        for pid in self.account.processes():
            os.kill(pid, signal.SIGKILL)  # ours: they were started inside our group
        self.account.close()

    def remove(self) -> None:
        """Nothing of it is left on the disk."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self) -> None:
        for name in ("etc", "queue", "data", "dovecot"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix", "postfix")
        sink_host, sink_port = self._sink.split(":")
        (self.folder / "etc" / "main.cf").write_text(
            f"""\
compatibility_level = 3.6
queue_directory = {self.folder}/queue
data_directory = {self.folder}/data
daemon_directory = {DAEMONS}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.bench.example
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.255.255.255/32
relayhost = [{sink_host}]:{sink_port}
smtp_tls_security_level = none
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {self._certificate.key}, {self._certificate.chain}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
message_size_limit = {MESSAGE_LIMIT}
default_process_limit = {self._processes}
default_destination_concurrency_limit = 50
initial_destination_concurrency = 20
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_timeout = 600s
"""
        )
        (self.folder / "etc" / "master.cf").write_text(MASTER.format(host=self.host, port=PORT))
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        (self.folder / "dovecot.conf").write_text(
            f"""\
protocols =
base_dir = {self.folder}/dovecot
log_path = {self.folder}/dovecot.log
ssl = no
auth_mechanisms = plain
passdb {{
  driver = passwd-file
  args = {self.folder}/users
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  client_limit = 5000
  unix_listener {self.folder}/queue/private/auth {{
    mode = 0660
    user = postfix
  }}
}}
service anvil {{
  client_limit = 5000
}}
"""
        )
